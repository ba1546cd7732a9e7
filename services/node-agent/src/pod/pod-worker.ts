import { pod as podKind } from '@navarch/kinds';
import { Backoff } from '@navarch/kit';
import { keyOf } from '@navarch/machinery';
import { trouble } from '../trouble.ts';
import { labelKeys } from './container-config.ts';
import {
  allContainers,
  type DesiredPod,
  isFinished,
  isTerminating,
  type ObservedPod,
  type PodAction,
} from './model.ts';
import { nextPodAction } from './next-pod-action.ts';
import type { PodContext } from './pod-context.ts';
import { PodSteps } from './pod-steps.ts';
import { ProberSet } from './prober-set.ts';
import { podStatus } from './status.ts';
import { StatusReporter } from './status-reporter.ts';
import { isOfFiles } from './volume-files.ts';
import { WorkingMemory } from './working-memory.ts';

/** How often files of ConfigMaps, Secrets and the Pod itself are brought up to date. */
const refreshMs = 30_000;
/** How soon to look again for an exit that was announced and doesn't show yet, and for how long. */
const announcedMs = 20;
const announcedForMs = 3_000;
/** Failed readiness checks are told of at most this often for each container. */
const probeEventMs = 30_000;

/** Looks after one Pod on this node, step by step, until nothing of it is left. */
export class PodWorker {
  readonly uid: string;
  readonly #context: PodContext;
  readonly #memory = new WorkingMemory();
  readonly #steps: PodSteps;
  readonly #probers: ProberSet;
  readonly #reporter: StatusReporter;
  #desired: DesiredPod;
  #ids: ReadonlySet<string> = new Set();
  #woken = Promise.withResolvers<void>();
  #step: { readonly action: PodAction; readonly abort: AbortController } | undefined;
  readonly #announced = new Map<string, number>();
  #ip = { sandboxId: '', ip: '' };
  #refreshedMs = 0;

  constructor(context: PodContext, desired: DesiredPod) {
    this.uid = desired.pod.metadata.uid;
    this.#context = context;
    this.#desired = desired;
    this.#memory.volumesReady = desired.pod.spec.volumes.length === 0;
    this.#steps = new PodSteps(context, this.#memory);
    this.#reporter = new StatusReporter(context);
    const toldMs = new Map<string, number>();
    this.#probers = new ProberSet({
      ...context,
      onChange: () => this.poke(),
      onFailure: (container, probe, message) => {
        const now = context.clock.now();
        if (now - (toldMs.get(container + probe) ?? 0) < probeEventMs) return;
        toldMs.set(container + probe, now);
        const text = `${probe} probe of container ${container} failed: ${message}`;
        context.events.event(podKind, this.#desired.pod, 'Warning', 'Unhealthy', text);
      },
    });
  }

  /** What is wanted has changed. A step that no longer makes sense is broken off. */
  update(desired: DesiredPod): void {
    const before = this.#desired;
    this.#desired = desired;
    if (!desired.gone && !before.gone && this.#reporter.isEcho(before.pod, desired.pod)) return;
    const ends = desired.gone || isTerminating(desired.pod);
    const endedBefore = before.gone || isTerminating(before.pod);
    const hurried = graceOf(desired) < graceOf(before) || (desired.gone && !before.gone);
    const { action, abort } = this.#step ?? {};
    if (action?.type === 'stopContainers' ? hurried : ends && !endedBefore) abort?.abort();
    this.poke();
  }

  /** Something may have changed: look again. */
  poke(): void {
    this.#woken.resolve();
  }

  /** The runtime says that a container or sandbox has ended. Returns whether it is one of this Pod's. */
  announce(id: string): boolean {
    if (!this.#ids.has(id)) return false;
    this.#announced.set(id, this.#context.clock.now());
    this.poke();
    return true;
  }

  /** Resolves when nothing of the Pod is left, or when `signal` aborts; then everything is left as it is. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#context;
    const backoff = new Backoff({ baseMs: 200, maxMs: 10_000 });
    try {
      while (!signal.aborted) {
        this.#woken = Promise.withResolvers<void>();
        try {
          if (await this.#turn(signal)) return;
          backoff.reset();
        } catch (error) {
          if (signal.aborted) return;
          const delayMs = backoff.next();
          const fields = { ...trouble(error), pod: keyOf(this.#desired.pod), delayMs };
          logger.warn(fields, 'a Pod could not be looked after; trying again');
          await clock.sleep(delayMs, signal).catch(() => undefined);
        }
      }
    } finally {
      this.#probers.stop();
    }
  }

  /** Looks, decides, reports and does one step. True when the Pod is through. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    const { clock, node } = this.#context;
    await this.#refreshVolumes();
    const observed = await this.#observe(signal);
    const desired = this.#desired;
    const pod = this.#reporter.withLastStatus(desired.pod);
    const now = clock.now();
    const action = nextPodAction({ ...desired, pod }, observed, now);
    // While its remains are cleared away, a Pod keeps the status that it ended with: but it has to have ended.
    const clearing = action.type === 'finalize' || (isTerminating(pod) && action.type === 'removeSandbox');
    if (!desired.gone && !(clearing && isFinished(pod.status.phase))) {
      const status = podStatus(pod, observed, node.nodeIp, now);
      this.#reporter.report(desired.pod, status, isPassing(action, pod));
    }
    this.#context.logger.debug({ pod: keyOf(pod), ...action, action: action.type }, 'next step');
    switch (action.type) {
      case 'finalize':
        this.#probers.stop();
        await this.#reporter.flushed();
        await this.#steps.finalize(desired);
        return true;
      case 'wait':
        await this.#wait(action.untilMs, observed, signal);
        return false;
      default: {
        const abort = new AbortController();
        this.#step = { action, abort };
        try {
          await this.#steps.apply(action, { ...desired, pod }, observed, AbortSignal.any([signal, abort.signal]));
        } catch (error) {
          // Broken off because something else is wanted now: the next turn sees to it.
          if (!abort.signal.aborted) throw error;
        } finally {
          this.#step = undefined;
        }
        return false;
      }
    }
  }

  async #observe(signal: AbortSignal): Promise<ObservedPod> {
    const { runtime, node } = this.#context;
    const { pod, gone } = this.#desired;
    const labels = { [labelKeys.uid]: this.uid };
    const [sandboxes, containers] = await Promise.all([
      runtime.listSandboxes(labels, signal),
      runtime.listContainers(labels, signal),
    ]);
    this.#ids = new Set([...sandboxes.map(({ id }) => id), ...containers.map(({ id }) => id)]);
    const ready = sandboxes.find((sandbox) => sandbox.ready);
    if (ready && this.#ip.sandboxId !== ready.id) {
      this.#ip = { sandboxId: ready.id, ip: pod.spec.hostNetwork ? '' : await runtime.sandboxIp(ready.id, signal) };
    }
    const observed = { sandboxes, containers, ip: ready ? this.#ip.ip : '', memory: this.#memory };
    const ending = gone || isTerminating(pod) || isFinished(pod.status.phase);
    if (ending) this.#probers.stop();
    else this.#probers.follow(this.#reporter.withLastStatus(pod), observed, node.nodeIp);
    this.#memory.health = this.#probers.health;
    // Only a container that can be started needs its image.
    if (!ending && ready) await this.#lookForImages(observed, signal);
    return observed;
  }

  /** Of the containers that may have to be started. */
  async #lookForImages(observed: ObservedPod, signal: AbortSignal): Promise<void> {
    const running = observed.containers.filter(({ state }) => state === 'running').map(({ name }) => name);
    const waiting = allContainers(this.#desired.pod).filter(({ name }) => !running.includes(name));
    for (const image of new Set(waiting.map((container) => container.image))) {
      this.#memory.saw(image, await this.#context.runtime.imageStatus(image, signal));
    }
  }

  async #refreshVolumes(): Promise<void> {
    const { clock, volumes, logger } = this.#context;
    const { pod, gone } = this.#desired;
    const changing = pod.spec.volumes.some(isOfFiles);
    // After a restart of the agent they are in place when there is anything of the Pod to see them.
    const inPlace = this.#memory.volumesReady || this.#ids.size > 0;
    if (!changing || !inPlace || gone || isTerminating(pod)) return;
    if (clock.now() - this.#refreshedMs < refreshMs) return;
    this.#refreshedMs = clock.now();
    await volumes.prepare(pod).catch((error: unknown) => {
      logger.warn({ ...trouble(error), pod: keyOf(pod) }, "a Pod's volumes could not be brought up to date");
    });
  }

  async #wait(untilMs: number | undefined, observed: ObservedPod, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const now = clock.now();
    const times = untilMs === undefined ? [] : [untilMs];
    if (this.#desired.pod.spec.volumes.length > 0) times.push(Math.max(now, this.#refreshedMs) + refreshMs);
    for (const [id, atMs] of this.#announced) {
      const alive =
        observed.sandboxes.some((info) => info.id === id && info.ready) ||
        observed.containers.some((info) => info.id === id && info.state === 'running');
      // The runtime's announcement can come before its lists show it.
      if (alive && now - atMs < announcedForMs) times.push(now + announcedMs);
      else this.#announced.delete(id);
    }
    const wake = new AbortController();
    const sleep =
      times.length === 0
        ? undefined
        : clock.sleep(Math.max(1, Math.min(...times) - now), AbortSignal.any([signal, wake.signal]));
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else AbortSignal.any([signal, wake.signal]).addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#woken.promise, aborted, ...(sleep ? [sleep.catch(() => undefined)] : [])]);
    wake.abort();
  }
}

/** Whether the Pod is on its way up. A Pod that was ready and no longer is must be known to be down at once. */
function isPassing(action: PodAction, { status }: DesiredPod['pod']): boolean {
  const isReady = status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return (
    !isReady && (action.type === 'createSandbox' || action.type === 'startContainer' || action.type === 'pullImage')
  );
}

function graceOf({ pod }: DesiredPod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY;
}
