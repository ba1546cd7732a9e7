import { readFileSync } from 'node:fs';
import { ConfigError, type Parser } from '@navarch/kit';
import { type FieldError, type JsonObject, readSettings } from '@navarch/machinery';
import { type Profile, type Score, type ScoringStrategy, usualResources, usualWeights, wishes } from './profiles.ts';
import { strategies } from './select-node.ts';

/** What a file of profiles says, once its schema lets it through. Weights that it leaves out are the usual ones. */
interface File {
  readonly profiles: readonly FileProfile[];
}

interface FileProfile {
  readonly schedulerName: string;
  readonly strategy?: Profile['strategy'];
  readonly scores?: readonly FileScore[];
}

interface FileScore {
  readonly name: Score['name'];
  readonly weight?: number;
  readonly scoringStrategy?: ScoringStrategy;
  readonly resources?: ScoringStrategy['resources'];
}

const weight: JsonObject = { type: 'integer', minimum: 1, maximum: 1_000 };
const resources: JsonObject = {
  type: 'array',
  minItems: 1,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: object({ name: { type: 'string', minLength: 1 }, weight: { ...weight, default: 1 } }, ['name']),
};
const withUsual: JsonObject = { ...resources, default: usualResources.map((each) => ({ ...each })) };
const shape: JsonObject = {
  type: 'array',
  minItems: 1,
  items: object(
    {
      utilization: { type: 'integer', minimum: 0, maximum: 100 },
      score: { type: 'integer', minimum: 0, maximum: 10 },
    },
    ['utilization', 'score'],
  ),
};
const scoringStrategy = object(
  {
    type: { type: 'string', enum: ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] },
    resources: withUsual,
    requestedToCapacityRatio: object({ shape }, ['shape']),
  },
  ['type'],
);
const score = object(
  { name: { type: 'string', enum: Object.keys(usualWeights) }, weight, scoringStrategy, resources },
  ['name'],
);
const profile = object(
  {
    schedulerName: { type: 'string', minLength: 1, maxLength: 253 },
    strategy: { type: 'string', enum: [...strategies] },
    scores: { type: 'array', items: score },
  },
  ['schedulerName'],
);
const schema = object(
  {
    apiVersion: { type: 'string', enum: ['scheduler.navarch.io/v1'] },
    kind: { type: 'string', enum: ['SchedulerConfiguration'] },
    profiles: { type: 'array', minItems: 1, items: profile },
  },
  ['apiVersion', 'kind', 'profiles'],
);

/** The path of a file of profiles. Throws ConfigError, which says of all that is wrong where it stands. */
export const profilesFile: Parser<readonly Profile[]> = (path) => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `the file of profiles can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return readProfiles(text, path);
};

/** The profiles that a file of this name and text gives. Throws ConfigError. */
export function readProfiles(text: string, fileName: string): readonly Profile[] {
  const { value, errors } = readSettings<File>(text, schema, problems);
  if (value !== undefined) return value.profiles.map(toProfile);
  const lines = errors.map(({ position: { line, column }, path, message }) => {
    return `${fileName}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
  });
  throw new ConfigError(`nothing was started, because:\n  ${lines.join('\n  ')}`);
}

/** Only what counts is asked about again and again: what was left out is filled in. */
function toProfile({ schedulerName, strategy, scores }: FileProfile): Profile {
  return {
    schedulerName,
    ...(strategy !== undefined && { strategy }),
    ...(scores !== undefined && { scores: scores.map(toScore) }),
  };
}

function toScore({ name, weight = usualWeights[name], scoringStrategy, resources = usualResources }: FileScore): Score {
  switch (name) {
    case 'NodeResourcesFit':
      return { name, weight, scoringStrategy: scoringStrategy ?? { type: 'LeastAllocated', resources } };
    case 'NodeResourcesBalancedAllocation':
      return { name, weight, resources };
    default:
      return { name, weight };
  }
}

/** What the schema can't say. */
function problems({ profiles }: File): FieldError[] {
  const names = profiles.map(({ schedulerName }) => schedulerName);
  return profiles.flatMap((profile, index) => {
    const path = `profiles[${index}]`;
    const first = names.indexOf(profile.schedulerName);
    return [
      ...(first < index
        ? [error(`${path}.schedulerName`, `"${profile.schedulerName}" is profiles[${first}] already`)]
        : []),
      ...(profile.strategy === undefined && profile.scores === undefined
        ? [error(path, 'must have a strategy, or scores, or both')]
        : []),
      ...scoresProblems(profile, `${path}.scores`),
    ];
  });
}

function scoresProblems({ strategy, scores = [] }: FileProfile, at: string): FieldError[] {
  const names = scores.map(({ name }) => name);
  return scores.flatMap((score, index) => {
    const path = `${at}[${index}]`;
    const errors = scoreProblems(score, path);
    const first = names.indexOf(score.name);
    if (first < index) errors.push(error(`${path}.name`, `${score.name} is ${at}[${first}] already`));
    if (strategy !== undefined && !wishes.some((wish) => wish === score.name)) {
      const message = `does not go with a strategy, which itself says what room is worth; ${wishes.join(', ')} do`;
      errors.push(error(`${path}.name`, `${score.name} ${message}`));
    }
    return errors;
  });
}

function scoreProblems({ name, scoringStrategy, resources }: FileScore, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (scoringStrategy !== undefined && name !== 'NodeResourcesFit') {
    errors.push(error(`${path}.scoringStrategy`, `is NodeResourcesFit's alone, not ${name}'s`));
  }
  if (resources !== undefined && name !== 'NodeResourcesBalancedAllocation') {
    const hint = name === 'NodeResourcesFit' ? '; write scoringStrategy.resources' : '';
    errors.push(error(`${path}.resources`, `is NodeResourcesBalancedAllocation's alone, not ${name}'s${hint}`));
  }
  if (scoringStrategy !== undefined) errors.push(...strategyProblems(scoringStrategy, `${path}.scoringStrategy`));
  return errors;
}

function strategyProblems({ type, requestedToCapacityRatio: ratio }: ScoringStrategy, path: string): FieldError[] {
  const at = `${path}.requestedToCapacityRatio`;
  if (type !== 'RequestedToCapacityRatio') {
    return ratio === undefined ? [] : [error(at, `is for type RequestedToCapacityRatio, not ${type}`)];
  }
  if (ratio === undefined) return [error(at, 'must be set, with the points of its shape')];
  return ratio.shape.flatMap(({ utilization }, index) => {
    const before = ratio.shape[index - 1]?.utilization ?? -1;
    const message = `must be more than the point before it has, ${before}`;
    return utilization > before ? [] : [error(`${at}.shape[${index}].utilization`, message)];
  });
}

function error(path: string, message: string): FieldError {
  return { path, message };
}

function object(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required: [...required] };
}
