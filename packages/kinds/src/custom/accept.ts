import type { Condition, CustomResourceDefinition, CustomResourceDefinitionNames } from '@navarch/proto';
import type { KindDefinition } from '../define-kind.ts';

type Status = NonNullable<CustomResourceDefinition['status']>;

/**
 * The status of a definition, given the kinds of its group that others have already: which names it goes by, and whether
 * it can be used. A kind that could be used once stays so. `now` is RFC 3339; times change only with what they tell of.
 */
export function definitionStatus(
  { spec, status }: CustomResourceDefinition,
  others: readonly KindDefinition[],
  now: string,
): Status {
  const names = spec?.names;
  if (spec === undefined || names === undefined)
    return status ?? { conditions: [], acceptedNames: undefined, storedVersions: [] };
  const accepted = status?.acceptedNames;
  const conflicts: string[] = [];
  const choose = (name: string, before: string | undefined, what: string, taken: (kind: KindDefinition) => boolean) => {
    const other = others.find(taken);
    if (other === undefined) return name;
    conflicts.push(`${what} "${name}" is already in use by ${other.kind}`);
    return before ?? '';
  };
  const has = (name: string) => (kind: KindDefinition) =>
    [kind.plural, kind.singular, ...kind.shortNames].includes(name);
  const acceptedNames: CustomResourceDefinitionNames = {
    plural: choose(names.plural, accepted?.plural, 'plural', has(names.plural)),
    singular: choose(names.singular, accepted?.singular, 'singular', has(names.singular)),
    shortNames: names.shortNames.filter((name) => choose(name, undefined, 'short name', has(name)) === name),
    kind: choose(names.kind, accepted?.kind, 'kind', ({ kind }) => kind === names.kind),
    listKind: names.listKind,
    categories: names.categories,
  };
  const wasEstablished = isEstablished({ status });
  const namesAccepted = claim(status, 'NamesAccepted', conflicts.length === 0, now, {
    reason: conflicts.length === 0 ? 'NoConflicts' : 'NamesConflict',
    message: conflicts.length === 0 ? 'no conflicts found' : conflicts.join('; '),
  });
  const established = claim(status, 'Established', wasEstablished || conflicts.length === 0, now, {
    reason: wasEstablished || conflicts.length === 0 ? 'InitialNamesAccepted' : 'NotAccepted',
    message:
      wasEstablished || conflicts.length === 0
        ? 'the initial names have been accepted'
        : 'not all names are accepted: see NamesAccepted',
  });
  const rest = (status?.conditions ?? []).filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established');
  const storage = spec.versions.find(({ storage }) => storage)?.name;
  const stored = status?.storedVersions ?? [];
  return {
    conditions: [namesAccepted, established, ...rest],
    acceptedNames,
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
}

/** Whether objects of the kind can be read and written. */
export function isEstablished({ status }: Pick<CustomResourceDefinition, 'status'>): boolean {
  return (status?.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');
}

function claim(
  status: Status | undefined,
  type: string,
  holds: boolean,
  now: string,
  why: Pick<Condition, 'reason' | 'message'>,
): Condition {
  const before = status?.conditions.find((condition) => condition.type === type);
  const value = holds ? 'True' : 'False';
  const lastTransitionTime = before?.status === value ? before.lastTransitionTime : now;
  return { type, status: value, observedGeneration: 0, lastTransitionTime, lastUpdateTime: '', ...why };
}
