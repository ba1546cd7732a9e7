import { readFileSync } from 'node:fs';
import { ConfigError, type Parser } from '@navarch/kit';
import { type FieldError, type JsonObject, readSettings } from '@navarch/machinery';
import {
  defaultProfiles,
  type Profile,
  type Score,
  type ScoringStrategy,
  usualResources,
  usualWeights,
  wishes,
} from './profiles.ts';
import { type Goal, goals, type RebalancingPolicy, usualPolicy } from './rebalancing/policy.ts';
import { strategies } from './select-node.ts';

/** What a file of profiles says, once its schema lets it through. Weights that it leaves out are the usual ones. */
interface File {
  readonly profiles?: readonly FileProfile[];
  readonly rebalancing?: FileRebalancing;
}

interface FileRebalancing {
  readonly goals: readonly Goal[];
  readonly intervalSeconds?: number;
  readonly maxMoves?: number;
  readonly minimumGainPercent?: number;
  readonly settleSeconds?: number;
}

/** How a scheduler is told to work. */
export interface Configuration {
  readonly profiles: readonly Profile[];
  /** Undefined: nothing is moved. */
  readonly rebalancing?: RebalancingPolicy;
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
const rebalancing = object(
  {
    goals: { type: 'array', minItems: 1, 'x-kubernetes-list-type': 'set', items: { type: 'string', enum: [...goals] } },
    intervalSeconds: { type: 'integer', minimum: 10, maximum: 86_400 },
    maxMoves: { type: 'integer', minimum: 1, maximum: 100 },
    minimumGainPercent: { type: 'integer', minimum: 1, maximum: 100 },
    settleSeconds: { type: 'integer', minimum: 60, maximum: 604_800 },
  },
  ['goals'],
);
const schema = object(
  {
    apiVersion: { type: 'string', enum: ['scheduler.navarch.io/v1'] },
    kind: { type: 'string', enum: ['SchedulerConfiguration'] },
    profiles: { type: 'array', minItems: 1, items: profile },
    rebalancing,
  },
  ['apiVersion', 'kind'],
);

/** The path of a file that says how to work. Throws ConfigError, which says of all that is wrong where it stands. */
export const configurationFile: Parser<Configuration> = (path) => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`the file can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return readConfiguration(text, path);
};

/** What a file of this name and text says; the built-in profiles where it has none. Throws ConfigError. */
export function readConfiguration(text: string, fileName: string): Configuration {
  const { value, errors } = readSettings<File>(text, schema, problems);
  if (value !== undefined) {
    const { profiles, rebalancing } = value;
    return {
      profiles: profiles?.map(toProfile) ?? defaultProfiles,
      ...(rebalancing && { rebalancing: toPolicy(rebalancing) }),
    };
  }
  const lines = errors.map(({ position: { line, column }, path, message }) => {
    return `${fileName}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
  });
  throw new ConfigError(`nothing was started, because:\n  ${lines.join('\n  ')}`);
}

function toPolicy({
  goals,
  intervalSeconds = usualPolicy.intervalMs / 1000,
  maxMoves = usualPolicy.maxMoves,
  minimumGainPercent = 100 * usualPolicy.minimumGain,
  settleSeconds = usualPolicy.settleMs / 1000,
}: FileRebalancing): RebalancingPolicy {
  const minimumGain = minimumGainPercent / 100;
  return { goals, intervalMs: 1000 * intervalSeconds, maxMoves, minimumGain, settleMs: 1000 * settleSeconds };
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
function problems({ profiles = [] }: File): FieldError[] {
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
