import { type EventBus, subject } from '@navarch/bus';
import type { Clock, Component, Logger } from '@navarch/kit';
import { NodeUsageReport } from '@navarch/proto';
import type { Runtime } from '../runtime/runtime.ts';
import { trouble } from '../trouble.ts';
import type { MachineUsage } from './machine-usage.ts';
import { type Reading, usageReport } from './usage-rates.ts';

export interface UsageReporterOptions {
  readonly nodeName: string;
  readonly runtime: Pick<Runtime, 'stats'>;
  readonly machineUsage: () => Promise<MachineUsage>;
  readonly bus: Pick<EventBus, 'publish' | 'connected'>;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Tells every `intervalMs` what the node, and each container on it, uses. On the bus alone: nothing of this is kept, and
 * while the bus is down nobody knows.
 */
export class UsageReporter implements Component {
  readonly name = 'usage';
  readonly #options: UsageReporterOptions;
  #before: Reading | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: UsageReporterOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#loop = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#report(signal);
        await clock.sleep(intervalMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn(trouble(error), 'what containers use could not be read');
        await clock.sleep(intervalMs, signal).catch(() => {});
      }
    }
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { nodeName, runtime, machineUsage, bus, intervalMs, clock } = this.#options;
    // A rate over the time of an outage would be of no use to anybody.
    if (!bus.connected) {
      this.#before = undefined;
      return;
    }
    const [containers, machine] = await Promise.all([runtime.stats(signal), machineUsage()]);
    const after: Reading = { atMs: clock.now(), machine, containers };
    const report = this.#before && usageReport(nodeName, this.#before, after, intervalMs);
    this.#before = after;
    if (report !== undefined) bus.publish(subject('usage', nodeName), NodeUsageReport.encode(report).finish());
  }
}
