import type { Clock } from '@navarch/kit';
import type { Probe } from '@navarch/proto';
import { awaitedPorts, hasReadinessGate, longestAwaitMs } from './awaited-ports.ts';
import type { ContainerHealth } from './model.ts';
import { probeStep, probeTimes, unprobed } from './probe.ts';
import { checkProbe, type ProbeTarget } from './probe-check.ts';

export interface ProberOptions extends ProbeTarget {
  readonly startedAtMs: number;
  /** What was reported before the agent's restart: a container that was ready stays so until a probe says otherwise. */
  readonly before: { readonly started: boolean; readonly ready: boolean };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called at each change of `health`, and for each failed check. */
  readonly onChange: () => void;
  readonly onFailure: (probe: string, message: string) => void;
}

type Kind = 'startup' | 'readiness' | 'liveness';

/** Asks one container's probes, each in its own rhythm, until `signal` aborts. The others wait for the startup probe. */
export class Prober {
  health: ContainerHealth;
  readonly #options: ProberOptions;

  constructor(options: ProberOptions) {
    this.#options = options;
    const { startupProbe } = options.container;
    this.health = {
      started: startupProbe === undefined || options.before.started,
      ready: !hasReadinessGate(options.container) || options.before.ready,
    };
  }

  async run(): Promise<void> {
    const { container, signal } = this.#options;
    try {
      if (container.startupProbe && !this.health.started) {
        await this.#loop('startup', container.startupProbe, (healthy) => healthy === true);
        if (!this.health.started) return;
      }
      const { readinessProbe, livenessProbe } = container;
      await Promise.all([
        readinessProbe && this.#loop('readiness', readinessProbe, () => false),
        livenessProbe && this.#loop('liveness', livenessProbe, () => false),
        this.#awaitPorts(),
      ]);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Ends once the container listens, or has been waited for long enough. */
  async #awaitPorts(): Promise<void> {
    const { clock, container, containerId, runtime, signal, startedAtMs, onChange } = this.#options;
    const ports = awaitedPorts(container);
    let pauseMs = 20;
    while (!this.health.ready && ports.length > 0) {
      // What can't be seen yet is looked for again; a runtime that is away is waited for elsewhere.
      const open = await runtime.listening(containerId).catch(() => new Set<number>());
      signal.throwIfAborted();
      if (ports.every((port) => open.has(port)) || clock.now() - startedAtMs >= longestAwaitMs) {
        this.health = { ...this.health, ready: true };
        onChange();
        return;
      }
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(2 * pauseMs, 200);
    }
  }

  /** Ends when `done`, or when the container has to be restarted. */
  async #loop(kind: Kind, probe: Probe, done: (healthy: boolean | undefined) => boolean): Promise<void> {
    const { clock, signal, startedAtMs, onFailure } = this.#options;
    const { delayMs, periodMs, timeoutMs } = probeTimes(probe);
    let state = unprobed;
    await clock.sleep(Math.max(0, startedAtMs + delayMs - clock.now()), signal);
    for (;;) {
      const result = await checkProbe(probe, this.#options, timeoutMs);
      signal.throwIfAborted();
      state = probeStep(state, probe, result.passed);
      if (!result.passed) onFailure(kind, result.message);
      this.#tell(kind, state.healthy, result.message);
      if (done(state.healthy) || this.health.failed) return;
      // A container that isn't ready yet is asked more often at first: nobody should wait a whole period for it. (Not so
      // the startup probe, whose failures are counted until the container is killed.)
      const early =
        kind === 'readiness' &&
        state.healthy !== true &&
        clock.now() - startedAtMs < delayMs + Math.max(periodMs, 10_000);
      await clock.sleep(early ? Math.min(periodMs, 250) : periodMs, signal);
    }
  }

  #tell(kind: Kind, healthy: boolean | undefined, message: string): void {
    if (healthy === undefined) return;
    const before = this.health;
    if (kind === 'readiness') this.health = { ...before, ready: healthy };
    else if (!healthy) this.health = { ...before, failed: { probe: kind, message } };
    else if (kind === 'startup') this.health = { ...before, started: true };
    const { started, ready, failed } = this.health;
    if (started !== before.started || ready !== before.ready || failed !== before.failed) this.#options.onChange();
  }
}
