import { setTimeout as delay } from 'node:timers/promises';
import { type InformerSet, createClient, createInformerSet } from '@navarch/client';
import { NatsBus } from '@navarch/bus';
import { configMap, type KindDefinition, pod, secret, service } from '@navarch/kinds';
import { createLogger } from '@navarch/kit';
import { fromServiceError } from '@navarch/machinery';
import { ResourcesService, WatchEvent_Type, WatchRequest, type WatchResponse } from '@navarch/proto';
import type { ServiceError } from '@grpc/grpc-js';
import { Caller } from './caller.ts';
import type { InformerRecord, Seen, Selection, Version, WatchEntry, WatchRecord } from './history.ts';
import { versionOf, versionOfObject } from './marks.ts';
import { accounts } from './plan.ts';

const types: Readonly<Record<number, Seen['type']>> = {
  [WatchEvent_Type.ADDED]: 'added',
  [WatchEvent_Type.MODIFIED]: 'modified',
  [WatchEvent_Type.DELETED]: 'deleted',
};

export interface WatcherOptions {
  readonly name: string;
  readonly selections: readonly Selection[];
  readonly addresses: readonly string[];
  /** Opens the stream anew that often, at another api, as if it had been cut; never when undefined. */
  readonly everyMs?: number;
  /** Begins again with everything there is each time, instead of going on. */
  readonly forgetful?: boolean;
  /** What etcd has come to, as far as is known. */
  readonly newest: () => bigint;
}

/** A reader of gRPC Watch who goes on where it was, at whichever api answers, and writes down what it is told. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #entries: WatchEntry[] = [];
  readonly #callers: readonly Caller[];
  /** Told completely up to and with this revision. */
  position = 0n;
  streams = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#callers = options.addresses.map((address) => new Caller(address));
  }

  get record(): WatchRecord {
    const { name, selections } = this.#options;
    return { name, selections, entries: this.#entries };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#stream(signal);
      await delay(20, undefined, { signal }).catch(() => undefined);
    }
    for (const caller of this.#callers) caller.close();
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const { selections, everyMs, forgetful } = this.#options;
    const caller = this.#callers[this.streams++ % this.#callers.length];
    if (caller === undefined) throw new Error('a watcher needs an api');
    const after = forgetful ? 0n : this.position;
    const { path, requestSerialize, responseDeserialize } = ResourcesService.watch;
    const targets = selections.map(({ kind, namespace, color }) => ({
      resource: kind,
      namespace,
      labelSelector: color === '' ? '' : `color=${color}`,
    }));
    const request = { ...WatchRequest.fromJSON({ targets }), after };
    const call = caller.grpc.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel);
    const cut = everyMs === undefined ? undefined : setTimeout(cancel, everyMs);
    this.#entries.push({ type: 'asked', after });
    let failure: Error | undefined;
    call.on('error', (error) => (failure = error));
    try {
      // Each message is what the method's own function made of it.
      for await (const response of call) this.#told(response as WatchResponse);
    } catch (error) {
      failure ??= error as Error; // the stream throws nothing else
    } finally {
      clearTimeout(cut);
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
    if (failure !== undefined && fromServiceError(failure as ServiceError).reason === 'Expired') {
      this.#entries.push({ type: 'expired', newest: this.#options.newest() });
      this.position = 0n;
    }
  }

  #told({ revision, initial, events }: WatchResponse): void {
    const seen = events.flatMap(({ type, resource }): Seen[] =>
      resource === undefined ? [] : [{ type: types[type] ?? 'modified', object: versionOf(resource) }],
    );
    this.#entries.push({ type: 'told', revision, initial, events: seen });
    if (!initial) this.position = revision;
  }
}

const kinds: readonly KindDefinition[] = [configMap, secret, pod, service];
const logger = createLogger({ name: 'checker', level: 'silent' });

/** An informer over the change feed, as controllers have one, and what its handlers and caches show. */
export class RecordedInformer {
  readonly #name: string;
  readonly #set: InformerSet;
  readonly #changes: Seen[] = [];
  readonly #sums: { revision: bigint; sum: number }[] = [];
  readonly #close: () => Promise<void>;

  constructor(options: { name: string; address: string; nats: string | undefined }) {
    const { name, address, nats } = options;
    this.#name = name;
    const client = createClient({ address, logger });
    const bus = nats === undefined ? undefined : NatsBus.connect({ servers: [nats], name, logger });
    this.#set = createInformerSet({
      api: client.raw,
      targets: kinds.map((kind) => ({ kind })),
      logger,
      ...(bus === undefined ? {} : { bus }),
    });
    for (const kind of kinds) {
      this.#set.onChange(kind, ({ type, object }) => {
        const version = versionOfObject(kind, object, BigInt(object.metadata?.resourceVersion ?? 0));
        this.#changes.push({ type, object: version });
        if (version.color === accounts.color) this.#sums.push({ revision: version.revision, sum: this.#sum() });
      });
    }
    this.#close = async () => {
      client.close();
      await bus?.close();
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#set.run(signal);
    await this.#close();
  }

  async reached(revision: bigint, signal: AbortSignal): Promise<void> {
    await this.#set.reached(revision, signal);
  }

  get record(): InformerRecord {
    const held = kinds.flatMap((kind): Version[] =>
      this.#set
        .lister(kind)
        .list()
        .map((object) => versionOfObject(kind, object, BigInt(object.metadata?.resourceVersion ?? 0))),
    );
    const names = kinds.map(({ plural }) => plural);
    return { name: this.#name, kinds: names, changes: this.#changes, held, sums: this.#sums };
  }

  #sum(): number {
    return this.#set
      .lister(configMap)
      .list()
      .map((object) => versionOfObject(configMap, object, 0n))
      .filter(({ color }) => color === accounts.color)
      .reduce((all, { count }) => all + count, 0);
  }
}
