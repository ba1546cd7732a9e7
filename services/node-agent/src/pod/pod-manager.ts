import type { InformerSet } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import { Backoff, type Component, retry } from '@navarch/kit';
import { keyOf, type Live } from '@navarch/machinery';
import { Pod } from '@navarch/proto';
import { trouble } from '../trouble.ts';
import type { RuntimeSnapshot } from '../runtime/runtime.ts';
import { labelKeys } from './container-config.ts';
import type { DesiredPod } from './model.ts';
import type { PodContext } from './pod-context.ts';
import { PodWorker } from './pod-worker.ts';

/** How often everything in the runtime is looked through, for what its announcements left out. */
const relistMs = 5_000;
/** How soon a runtime is asked again that could not say whether a Pod's predecessor has gone. */
const askAgainMs = 1_000;

/**
 * All Pods of this node: one worker each. A Pod is known by its uid, so that one which was deleted and made again under
 * the same name is two, and the second one waits until nothing of the first is left. What runs here and is not in the api is removed; but only what a filled cache says counts, so that
 * nothing is touched while the api can't be reached.
 */
export class PodManager implements Component {
  readonly name = 'pods';
  readonly #context: PodContext;
  readonly #informers: InformerSet;
  readonly #workers = new Map<string, { readonly worker: PodWorker; readonly done: Promise<void> }>();
  readonly #stopping = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();
  #states = new Map<string, string>();

  constructor(context: PodContext, informers: InformerSet) {
    this.#context = context;
    this.#informers = informers;
    informers.onChange(podKind, (change) => {
      if (change.type === 'modified' && change.previous.metadata.uid !== change.object.metadata.uid) {
        this.#update({ pod: change.previous, gone: true });
      }
      const here = change.object.spec.nodeName === context.node.nodeName;
      if (here) this.#update({ pod: change.object, gone: change.type === 'deleted' });
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#stopping.abort(signal.reason), { once: true });
    const loops = this.#stopping.signal;
    this.#loops = Promise.all([this.#relist(loops), this.#followExits(loops)]);
    this.#loops.catch((error: unknown) => this.#context.logger.error({ err: error }, 'a loop over all Pods ended'));
  }

  /** Containers run on: the next agent takes them over. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the agent is being stopped'));
    await Promise.allSettled([this.#loops, ...[...this.#workers.values()].map(({ done }) => done)]);
  }

  /** How many Pods are looked after. */
  get size(): number {
    return this.#workers.size;
  }

  #update(desired: DesiredPod): void {
    const { uid } = desired.pod.metadata;
    const known = this.#workers.get(uid);
    if (known) {
      known.worker.update(desired);
      return;
    }
    if (desired.gone || this.#stopping.signal.aborted) return;
    this.#begin(desired);
  }

  #begin(desired: DesiredPod): void {
    const worker = new PodWorker(this.#context, desired);
    const signal = this.#stopping.signal;
    const done = (desired.gone ? Promise.resolve() : this.#predecessorsGone(desired.pod, signal))
      .then(() => worker.run(signal))
      .catch((error: unknown) => this.#context.logger.error({ err: error, pod: keyOf(desired.pod) }, 'a worker ended'))
      .finally(() => this.#workers.delete(worker.uid));
    this.#workers.set(worker.uid, { worker, done });
  }

  /**
   * Resolves once nothing of another Pod of this name is left here: of two that are one identity, one runs. The api has one
   * Pod of a name, so the others are to go.
   */
  async #predecessorsGone({ metadata: { namespace, name, uid } }: Live<Pod>, signal: AbortSignal): Promise<void> {
    const { runtime, clock, logger } = this.#context;
    while (!signal.aborted) {
      try {
        const labels = { [labelKeys.namespace]: namespace, [labelKeys.name]: name };
        const sandboxes = await runtime.listSandboxes(labels, signal);
        const others = sandboxes.filter((sandbox) => sandbox.pod.uid !== uid);
        if (others.length === 0) return;
        this.#adoptOrphans({ sandboxes: others });
        await Promise.all(others.flatMap((sandbox) => this.#workers.get(sandbox.pod.uid)?.done ?? []));
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ ...trouble(error), pod: `${namespace}/${name}` }, 'a Pod waits to know its predecessor gone');
        await clock.sleep(askAgainMs, signal).catch(() => undefined);
      }
    }
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { runtime, clock, logger } = this.#context;
    try {
      await this.#informers.synced(signal);
      while (!signal.aborted) {
        try {
          const snapshot = await runtime.snapshot(signal);
          this.#pokeChanged(snapshot);
          this.#adoptOrphans(snapshot);
        } catch (error) {
          signal.throwIfAborted();
          logger.warn(trouble(error), 'the runtime can not be asked what runs; trying again');
        }
        await clock.sleep(relistMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #pokeChanged({ sandboxes, containers }: RuntimeSnapshot): void {
    const states = new Map<string, string>();
    for (const { id, labels, ready } of sandboxes) add(labels[labelKeys.uid], `${id}=${ready}`);
    for (const { id, labels, state } of containers) add(labels[labelKeys.uid], `${id}=${state}`);
    for (const [uid, { worker }] of this.#workers) {
      if (states.get(uid) !== this.#states.get(uid)) worker.poke();
    }
    this.#states = states;

    function add(uid: string | undefined, state: string): void {
      if (uid !== undefined) states.set(uid, `${states.get(uid) ?? ''} ${state}`);
    }
  }

  /** What runs here for a Pod that the api doesn't have, or has on another node. */
  #adoptOrphans({ sandboxes }: Pick<RuntimeSnapshot, 'sandboxes'>): void {
    const { node, logger } = this.#context;
    const lister = this.#informers.lister(podKind);
    for (const { pod: identity, labels } of sandboxes) {
      const uid = labels[labelKeys.uid];
      if (uid === undefined || this.#workers.has(uid)) continue;
      const known = lister.get({ namespace: identity.namespace, name: identity.name });
      if (known?.metadata.uid === uid && known.spec.nodeName === node.nodeName) {
        this.#begin({ pod: known, gone: false });
        continue;
      }
      logger.info({ pod: `${identity.namespace}/${identity.name}`, uid }, 'removing a Pod that is no longer wanted');
      this.#begin({ pod: remains({ ...identity, uid }), gone: true });
    }
  }

  async #followExits(signal: AbortSignal): Promise<void> {
    const { runtime, clock, logger } = this.#context;
    const backoff = new Backoff({ baseMs: 200, maxMs: 5_000 });
    const follow = async () => {
      for await (const { id } of runtime.exits(signal)) {
        backoff.reset();
        for (const { worker } of this.#workers.values()) {
          if (worker.announce(id)) break;
        }
      }
      if (!signal.aborted) throw new Error("the runtime's event stream ended");
    };
    const onError = (error: unknown, delayMs: number) => {
      logger.debug({ ...trouble(error), delayMs }, 'not following exits for now');
    };
    await retry(follow, { backoff, signal, clock, onError }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/** As much of a Pod as its sandbox tells. */
function remains(identity: { namespace: string; name: string; uid: string }): Live<Pod> {
  const empty = Pod.fromPartial({ metadata: { ...identity, deletionGracePeriodSeconds: 2 }, spec: {}, status: {} });
  const { metadata, spec, status } = empty;
  if (!metadata || !spec || !status) throw new Error('an empty Pod lacks its parts');
  return { ...empty, metadata, spec, status };
}
