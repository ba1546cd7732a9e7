import { namespace as namespaceKind } from '@navarch/kinds';
import type { Content, Dependent, WhyResponse } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { blockersOf } from './blockers.ts';
import { dependentsOf, type Owned, otherOwner } from './dependents.ts';
import type { Snapshot } from './snapshot.ts';

const mostDependents = 1000;
const mostObjectsOfAKind = 10;

/** What keeps an object from going, or would, once it is asked to. */
export function why(subject: CachedObject, snapshot: Snapshot, nowMs: number): WhyResponse {
  const owned = dependentsOf(subject, snapshot);
  const direct = owned.filter(({ depth }) => depth === 1);
  const contents = contentsOf(subject, snapshot, nowMs);
  const known = {
    blocking: direct.filter(({ by }) => by.blockOwnerDeletion === true).length,
    dependents: direct.length,
    content: contents.reduce((sum, { count }) => sum + count, 0),
  };
  return {
    revision: snapshot.revision,
    deletionTimestamp: subject.object.metadata.deletionTimestamp,
    blockers: [...blockersOf(subject, snapshot, nowMs, known)],
    dependents: owned.slice(0, mostDependents).map((each) => dependent(each, snapshot, nowMs)),
    moreDependents: Math.max(0, owned.length - mostDependents),
    contents,
  };
}

function dependent(owned: Owned, snapshot: Snapshot, nowMs: number): Dependent {
  const { object, depth, by } = owned;
  return {
    ...stateOf(object, snapshot, nowMs),
    depth,
    blocksOwner: by.blockOwnerDeletion === true,
    keptBy: otherOwner(owned, by.uid, snapshot),
  };
}

function stateOf(cached: CachedObject, snapshot: Snapshot, nowMs: number): Dependent {
  const { kind, namespace, name, object } = cached;
  return {
    resource: kind.resource,
    namespace,
    name,
    depth: 0,
    blocksOwner: false,
    keptBy: '',
    deletionTimestamp: object.metadata.deletionTimestamp,
    blockers: [...blockersOf(cached, snapshot, nowMs)],
  };
}

/** What is in a namespace, by kind. */
function contentsOf({ kind, name }: CachedObject, snapshot: Snapshot, nowMs: number): Content[] {
  if (kind.case !== namespaceKind.case) return [];
  const inside = snapshot.keptKinds
    .filter(({ scope }) => scope === 'Namespaced')
    .map((each): Content => {
      const states: Dependent[] = [];
      let count = 0;
      for (const object of snapshot.list(each, name)) {
        count++;
        // Of many, those that nobody holds go by themselves.
        if (count <= mostLookedAt) states.push(stateOf(object, snapshot, nowMs));
      }
      const objects = states.toSorted((a, b) => Number(b.blockers.length > 0) - Number(a.blockers.length > 0));
      return { resource: each.resource, count, objects: objects.slice(0, mostObjectsOfAKind) };
    });
  return inside.filter(({ count }) => count > 0);
}

/** Looking at an object decodes it. */
const mostLookedAt = 1000;
