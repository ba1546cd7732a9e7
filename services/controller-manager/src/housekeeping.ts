import type { EventBus } from '@navarch/bus';
import { type Client, createInformerSet, type InformerSet, type WatchSource } from '@navarch/client';
import { type Controller, ControllerRunner, type RunnerInformers, type RunnerTerm } from '@navarch/controller';
import {
  builtinKinds,
  customKinds,
  customResourceDefinition,
  type KindDefinition,
  type Kinds,
  KindSet,
} from '@navarch/kinds';
import { type Clock, type Logger, linkSignals, type Metrics } from '@navarch/kit';
import type { CustomResourceDefinition } from '@navarch/proto';
import { addOwnerIndexes } from './caches.ts';
import { ChangeHub } from './change-hub.ts';
import { storedKinds } from './informers.ts';

export interface HousekeepingOptions {
  /** The caches of the built-in kinds. */
  readonly informers: RunnerInformers;
  readonly api: WatchSource;
  readonly bus: EventBus;
  /** The controllers that look after objects of all `kinds`, of which `stored` have a cache. */
  readonly controllers: (
    informers: RunnerInformers,
    known: {
      readonly kinds: Kinds;
      readonly stored: readonly KindDefinition[];
      readonly custom: readonly KindDefinition[];
    },
  ) => readonly Controller[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/**
 * The controllers whose objects are of every kind, custom ones included: when the kinds change, which is rare, caches and
 * controllers of the custom ones are made anew.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #hub: ChangeHub;
  #onKinds: () => void = () => {};

  /** Before the informers start. */
  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#hub = new ChangeHub(options.informers, storedKinds);
    options.informers.onChange(customResourceDefinition, () => this.#onKinds());
  }

  async run(term: RunnerTerm): Promise<void> {
    const { informers, logger } = this.#options;
    try {
      await informers.reached(term.revision, term.signal);
      while (!term.signal.aborted) await this.#runGeneration(term);
    } catch (error) {
      if (!term.signal.aborted) throw error;
    } finally {
      this.#onKinds = () => {};
    }
    logger.debug('housekeeping has ended');
  }

  /** Until the kinds are no longer those of the beginning. */
  async #runGeneration(term: RunnerTerm): Promise<void> {
    const { logger, clock, metrics } = this.#options;
    const known = this.#known();
    const link = linkSignals(term.signal);
    this.#onKinds = () => {
      if (!sameKinds(known.custom, this.#known().custom)) link.abort();
    };
    const set = this.#customInformers(known.custom);
    const caches = this.#everything(set);
    const runners = this.#options
      .controllers(caches, known)
      .map((controller) => new ControllerRunner({ controller, informers: caches, logger, clock, metrics }));
    const part: RunnerTerm = {
      revision: term.revision,
      signal: link.signal,
      fence: () => term.fence(),
      lose: (why) => term.lose(why),
    };
    try {
      await Promise.all([set?.run(link.signal), ...runners.map((runner) => runner.run(part))]);
    } finally {
      link.abort();
      this.#hub.clear();
    }
  }

  #known(): { kinds: Kinds; stored: readonly KindDefinition[]; custom: readonly KindDefinition[] } {
    const definitions = this.#options.informers.lister(customResourceDefinition).list();
    const custom = definitions.flatMap(preferredKind);
    const served = definitions
      .flatMap((definition) => customKinds(definition).filter(({ served }) => served))
      .map(({ kind }) => kind);
    return { kinds: new KindSet([...builtinKinds.all, ...served]), stored: [...storedKinds, ...custom], custom };
  }

  #customInformers(custom: readonly KindDefinition[]): InformerSet | undefined {
    if (custom.length === 0) return undefined;
    const { api, bus, logger, clock } = this.#options;
    const set = createInformerSet({ api, bus, logger, clock, targets: custom.map((kind) => ({ kind })) });
    addOwnerIndexes(set, custom);
    return set;
  }

  /** The caches of the built-in kinds and those of the custom ones as one. */
  #everything(custom: InformerSet | undefined): RunnerInformers {
    const { informers } = this.#options;
    const hub = this.#hub;
    const own = (kind: { readonly custom?: unknown }) => (kind.custom === undefined ? undefined : custom);
    return {
      lister: (kind) => (own(kind) ?? informers).lister(kind),
      onChange: (kind, handler) => (own(kind) ?? hub).onChange(kind, handler),
      get revision() {
        if (custom === undefined) return informers.revision;
        return custom.revision < informers.revision ? custom.revision : informers.revision;
      },
      reached: async (revision, signal) => {
        await Promise.all([informers.reached(revision, signal), custom?.reached(revision, signal)]);
      },
    };
  }
}

/** Whether the api knows no custom kinds but `custom`. */
export async function areAllKinds(
  client: Pick<Client, 'list'>,
  custom: readonly KindDefinition[],
  signal: AbortSignal,
): Promise<boolean> {
  const { items } = await client.list(customResourceDefinition, { signal });
  return sameKinds(custom, items.flatMap(preferredKind));
}

/** The version of a kind in which its objects are watched. */
function preferredKind(definition: CustomResourceDefinition): readonly KindDefinition[] {
  const [preferred] = customKinds(definition).filter(({ served }) => served);
  return preferred === undefined ? [] : [preferred.kind];
}

/** A schema may change: caches and controllers do not look at it. */
function sameKinds(a: readonly KindDefinition[], b: readonly KindDefinition[]): boolean {
  const names = (kinds: readonly KindDefinition[]) =>
    kinds.map(({ apiVersion, kind, resource, custom }) => `${apiVersion} ${kind} ${resource} ${custom?.uid}`).sort();
  const [before, after] = [names(a), names(b)];
  return before.length === after.length && before.every((name, index) => name === after[index]);
}
