import { createInformerSet, type InformerOptions, type InformerSet, travelsOnFeed } from '@navarch/client';
import type { RunnerInformers } from '@navarch/controller';
import { type KindDefinition, kinds } from '@navarch/kinds';

/** Every kind whose objects are kept. */
export const storedKinds: readonly KindDefinition[] = kinds.filter(({ storage }) => storage === 'store');

/**
 * The caches in two sets. Kinds that never travel on the bus tell of a revision that doesn't concern them only after a
 * while: controllers of workloads, which wait for their own writes, must not wait for those.
 */
export interface InformerSets {
  readonly workloads: InformerSet;
  readonly confidential: InformerSet;
}

export function informerSets(options: Omit<InformerOptions, 'targets'>): InformerSets {
  const { bus: _, ...withoutBus } = options;
  const targets = (chosen: boolean) =>
    storedKinds.filter((kind) => travelsOnFeed(kind) === chosen).map((kind) => ({ kind }));
  return {
    workloads: createInformerSet({ ...options, targets: targets(true) }),
    confidential: createInformerSet({ ...withoutBus, targets: targets(false) }),
  };
}

/** Both sets as one, for the controllers that look after objects of every kind. */
export function allInformers({ workloads, confidential }: InformerSets): RunnerInformers {
  const of = (kind: KindDefinition) => (travelsOnFeed(kind) ? workloads : confidential);
  return {
    lister: (kind) => of(asAny(kind)).lister(kind),
    onChange: (kind, handler) => of(asAny(kind)).onChange(kind, handler),
    get revision() {
      return workloads.revision < confidential.revision ? workloads.revision : confidential.revision;
    },
    reached: async (revision, signal) => {
      await Promise.all([workloads.reached(revision, signal), confidential.reached(revision, signal)]);
    },
  };
}

/** The same for a controller of workloads, which waits for the revisions of workloads alone. */
export function workloadsFirst(sets: InformerSets): RunnerInformers {
  const { lister, onChange } = allInformers(sets);
  const { workloads } = sets;
  return {
    lister,
    onChange,
    get revision() {
      return workloads.revision;
    },
    reached: (revision, signal) => workloads.reached(revision, signal),
  };
}

/** Which set a kind is in depends on nothing that its message type says. */
function asAny(kind: object): KindDefinition {
  return kind as KindDefinition;
}
