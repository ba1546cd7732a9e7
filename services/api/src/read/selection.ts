import type { KindDefinition, Kinds } from '@navarch/kinds';
import {
  ApiError,
  formatProblem,
  parseFieldSelector,
  parseLabelSelector,
  requiredFieldValues,
} from '@navarch/machinery';
import type { CachedObject } from '../cache/cached-object.ts';
import { kindNamed } from './resource-name.ts';

/** What a list, a watch or a collection's deletion chooses by. */
export interface Target {
  readonly resource: string;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** RFC 3339; any when empty or absent. */
  readonly since?: string;
  readonly until?: string;
}

/** Objects of one kind: those in `namespace` (all when empty) that `matches`. */
export interface Selection {
  readonly kind: KindDefinition;
  readonly namespace: string;
  matches(object: CachedObject): boolean;
}

/** Throws BadRequest when the kind is unknown or a selector is malformed, or one that the kind can't be selected by. */
export function select(kinds: Kinds, target: Target): Selection {
  const kind = kindNamed(kinds, target.resource);
  const namespace = kind.scope === 'Cluster' ? '' : target.namespace;
  const conditions: ((object: CachedObject) => boolean)[] = [];
  if (target.labelSelector !== '') {
    const chosen = parseLabelSelector(target.labelSelector);
    conditions.push(({ labels }) => chosen(labels));
  }
  if (target.fieldSelector !== '') {
    const chosen = parseFieldSelector(target.fieldSelector, kind.selectableFields);
    // What a node-agent asks for: most objects are told apart without decoding them.
    const token = kind.feedField && requiredFieldValues(target.fieldSelector).get(kind.feedField);
    if (token !== undefined) conditions.push((object) => object.feedToken === token);
    conditions.push(({ object }) => chosen(object));
  }
  const { since = '', until = '' } = target;
  if (since !== '' || until !== '') conditions.push(inTime(kind, since, until));
  return {
    kind,
    namespace,
    matches: (object) =>
      (namespace === '' || object.namespace === namespace) && conditions.every((condition) => condition(object)),
  };
}

/** Whether what the object tells of happened, at least in part, from `since` on and before `until`. */
function inTime(kind: KindDefinition, since: string, until: string): (object: CachedObject) => boolean {
  if (kind.happened === undefined) {
    throw new ApiError('BadRequest', `${kind.plural} can not be listed by time: since and until are for events`);
  }
  const sinceMs = since === '' ? Number.NEGATIVE_INFINITY : timeMs('since', since);
  const untilMs = until === '' ? Number.POSITIVE_INFINITY : timeMs('until', until);
  return ({ object }) => {
    const { first, last } = kind.happened?.(object) ?? { first: '', last: '' };
    return Date.parse(last) >= sinceMs && Date.parse(first) < untilMs;
  };
}

function timeMs(name: string, text: string): number {
  const problem = formatProblem('TIME', text);
  if (problem !== undefined) throw new ApiError('BadRequest', `${name}: ${problem}`);
  return Date.parse(text);
}
