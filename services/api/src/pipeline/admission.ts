import { type KindDefinition, namespace as namespaceKind, service as serviceKind } from '@navarch/kinds';
import { Namespace } from '@navarch/proto';
import type { Operation } from '@navarch/store';
import type { CachedObject } from '../cache/cached-object.ts';
import type { Admitted } from './admitted.ts';
import type { WritableObject } from './object-rules.ts';
import { admitService, releaseService } from './service-admission.ts';
import type { Circumstances } from './write.ts';

type Admission = (circumstances: Circumstances, next: WritableObject, previous: CachedObject | undefined) => Admitted;

const nothing: Admitted = { compare: [], ops: [] };

/** Whoever empties a namespace removes this from its spec, and only then it goes. */
const emptiedFinalizer = 'kubernetes';

/** Kinds that the api itself adds something to. A kind that is not here is stored as its writer sent it. */
const admissions: ReadonlyMap<KindDefinition['case'], Admission> = new Map([
  [namespaceKind.case, admitNamespace],
  [serviceKind.case, admitService],
]);

/** What the api adds to an object, or to its transaction, beyond defaults. Changes `next`, but nothing nested in it. */
export function admit(
  circumstances: Circumstances,
  kind: KindDefinition,
  next: WritableObject,
  previous: CachedObject | undefined,
): Admitted {
  return admissions.get(kind.case)?.(circumstances, next, previous) ?? nothing;
}

/** What has to be given back when an object goes. */
export function release(cached: CachedObject): readonly Operation[] {
  return cached.kind.case === serviceKind.case ? releaseService(cached) : [];
}

/** A namespace is there until it was emptied, whatever its manifest says. */
function admitNamespace(_: Circumstances, next: WritableObject, previous: CachedObject | undefined): Admitted {
  const before = previous?.object as Namespace | undefined; // the caller has looked at the kind
  if (before === undefined) {
    const made = Namespace.fromJSON({ spec: { finalizers: [emptiedFinalizer] }, status: { phase: 'Active' } });
    next.spec = made.spec;
    next.status = made.status;
  } else if (before.metadata?.deletionTimestamp === '' || next.spec === undefined) {
    next.spec = before.spec;
  }
  return nothing;
}
