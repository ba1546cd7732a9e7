import { builtinKinds } from '@navarch/kinds';
import { ConfigError } from '@navarch/kit';
import { type JsonObject, readSettings } from '@navarch/machinery';
import type { Identity } from '../identity.ts';
import type { Target } from '../routes/target.ts';

/** How much of a request is written down, and at which moments. Source: audit.k8s.io/v1 Policy. */

export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof levels)[number];

export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Stage = (typeof stages)[number];

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly Stage[];
}

interface AuditRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
}

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Where nobody says otherwise: who did what, once it is done; not who looked whether the gateway lives. */
export const usualPolicy: AuditPolicy = {
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*'] }, { level: 'Metadata' }],
};

const texts: JsonObject = { type: 'array', items: { type: 'string' } };
const stageList: JsonObject = { type: 'array', items: { type: 'string', enum: [...stages] } };
const groupResources: JsonObject = object({ group: { type: 'string' }, resources: texts, resourceNames: texts }, []);
const rule: JsonObject = object(
  {
    level: { type: 'string', enum: [...levels] },
    users: texts,
    userGroups: texts,
    verbs: texts,
    resources: { type: 'array', items: groupResources },
    namespaces: texts,
    nonResourceURLs: texts,
    omitStages: stageList,
    omitManagedFields: { type: 'boolean' },
  },
  ['level'],
);
const schema: JsonObject = object(
  {
    apiVersion: { type: 'string', enum: ['audit.k8s.io/v1'] },
    kind: { type: 'string', enum: ['Policy'] },
    metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    rules: { type: 'array', minItems: 1, items: rule },
    omitStages: stageList,
    omitManagedFields: { type: 'boolean' },
  },
  ['apiVersion', 'kind', 'rules'],
);

function object(properties: JsonObject, required: string[]): JsonObject {
  return { type: 'object', properties, required };
}

/** The policy in a file's text. Throws ConfigError, which says of all that is wrong where it stands. */
export function readAuditPolicy(text: string, fileName: string): AuditPolicy {
  const { value, errors } = readSettings<AuditPolicy>(text, schema, problems);
  if (value !== undefined) return value;
  const lines = errors.map(({ position: { line, column }, path, message }) => {
    return `${fileName}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
  });
  throw new ConfigError(`nothing was started, because:\n  ${lines.join('\n  ')}`);
}

function problems({ rules }: AuditPolicy) {
  return rules.flatMap(({ resources = [], namespaces = [], nonResourceURLs = [] }, index) =>
    nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)
      ? [{ path: `rules[${index}]`, message: 'is about resources or about paths, not both' }]
      : [],
  );
}

export interface AuditDecision {
  readonly level: Level;
  readonly omit: readonly Stage[];
}

/** What of a request is written down: the first rule that fits says it; nothing when none does. Bodies of secrets never. */
export function decide(policy: AuditPolicy, target: Target, { user, groups }: Identity): AuditDecision {
  const found = policy.rules.find(
    (each) =>
      fits(each.users, (name) => name === user) &&
      fits(each.userGroups, (group) => groups.includes(group)) &&
      fits(each.verbs, (verb) => verb === '*' || verb === target.verb) &&
      fitsTarget(each, target),
  );
  if (found === undefined) return { level: 'None', omit: [] };
  const level = found.level !== 'None' && isSecret(target) ? 'Metadata' : found.level;
  return { level, omit: [...(policy.omitStages ?? []), ...(found.omitStages ?? [])] };
}

/** A condition that names nothing holds for everything. */
function fits(wanted: readonly string[] | undefined, test: (each: string) => boolean): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.some(test);
}

function fitsTarget({ resources = [], namespaces = [], nonResourceURLs = [] }: AuditRule, target: Target): boolean {
  if (target.type === 'path') {
    if (resources.length > 0 || namespaces.length > 0) return false;
    return fits(
      nonResourceURLs,
      (url) => url === target.path || (url.endsWith('*') && target.path.startsWith(url.slice(0, -1))),
    );
  }
  if (nonResourceURLs.length > 0) return false;
  const { group, resource, subresource, name, namespace } = target;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const names = (each: string) =>
    each === '*' || each === full || (subresource !== '' && (each === `*/${subresource}` || each === `${resource}/*`));
  return (
    fits(namespaces, (each) => each === namespace) &&
    (resources.length === 0 ||
      resources.some(
        (each) =>
          (each.group ?? '') === group &&
          fits(each.resources, names) &&
          fits(each.resourceNames, (one) => one === name),
      ))
  );
}

const confidential = new Set(
  builtinKinds.all.filter((kind) => kind.confidential).map(({ group, plural }) => `${group}/${plural}`),
);

/** Objects that hold secrets, and what tokens travel in. */
function isSecret(target: Target): boolean {
  if (target.type === 'path') return false;
  const { group, resource, subresource } = target;
  if (confidential.has(`${group}/${resource}`)) return true;
  if (group === 'authentication.k8s.io' && resource === 'tokenreviews') return true;
  return group === '' && resource === 'serviceaccounts' && subresource === 'token';
}
