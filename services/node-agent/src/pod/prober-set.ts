import type { Clock, Logger } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { Runtime } from '../runtime/runtime.ts';
import { hasReadinessGate } from './awaited-ports.ts';
import { containerId } from './container-status.ts';
import type { ContainerHealth, ObservedPod } from './model.ts';
import { Prober } from './prober.ts';

export interface ProberSetOptions {
  readonly runtime: Pick<Runtime, 'execSync' | 'listening'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: () => void;
  readonly onFailure: (container: string, probe: string, message: string) => void;
}

/** The probers of one Pod: one for each running container that has something to wait for. */
export class ProberSet {
  readonly #options: ProberSetOptions;
  readonly #probers = new Map<string, { readonly prober: Prober; readonly abort: AbortController }>();

  constructor(options: ProberSetOptions) {
    this.#options = options;
  }

  get health(): ReadonlyMap<string, ContainerHealth> {
    return new Map([...this.#probers].map(([id, { prober }]) => [id, prober.health]));
  }

  /** Starts probers for what runs now and ends those of what doesn't. */
  follow(pod: Live<Pod>, observed: ObservedPod, nodeIp: string): void {
    const running = observed.containers.filter(({ state }) => state === 'running');
    for (const [id, { abort }] of this.#probers) {
      if (running.some((info) => info.id === id)) continue;
      abort.abort();
      this.#probers.delete(id);
    }
    const ip = pod.spec.hostNetwork ? nodeIp : observed.ip;
    for (const container of pod.spec.containers) {
      const { livenessProbe, startupProbe } = container;
      const info = running.find(({ name }) => name === container.name);
      if (!info || this.#probers.has(info.id) || !(livenessProbe || startupProbe || hasReadinessGate(container)))
        continue;
      const status = pod.status.containerStatuses.find((reported) => reported.containerId === containerId(info));
      const abort = new AbortController();
      const { runtime, clock, onChange, onFailure, logger } = this.#options;
      const prober = new Prober({
        container,
        containerId: info.id,
        ip,
        runtime,
        clock,
        startedAtMs: info.startedAtMs,
        before: { started: status?.started ?? false, ready: status?.ready ?? false },
        signal: abort.signal,
        onChange,
        onFailure: (probe, message) => onFailure(container.name, probe, message),
      });
      this.#probers.set(info.id, { prober, abort });
      prober.run().catch((error: unknown) => logger.error({ err: error, container: container.name }, 'a prober ended'));
    }
  }

  stop(): void {
    for (const { abort } of this.#probers.values()) abort.abort();
    this.#probers.clear();
  }
}
