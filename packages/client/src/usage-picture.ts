import { anyToken, type EventBus, subjectPattern } from '@navarch/bus';
import type { Clock, Logger } from '@navarch/kit';
import { NodeUsageReport, type PodUsageReport, type Usage } from '@navarch/proto';

export interface UsagePictureOptions {
  readonly bus: Pick<EventBus, 'subscribe' | 'connected'>;
  /** Whether there is such a node. Only of these anything is remembered: anybody may send under any name. */
  readonly isNode: (name: string) => boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
}

/** What was read of a node or a Pod. */
export interface UsageReading<T> {
  /** When, by the node's clock: milliseconds since the epoch. */
  readonly atMs: number;
  /** The time over which cpu was averaged. */
  readonly windowMs: number;
  readonly used: T;
}

interface Heard {
  readonly untilMs: number;
  readonly report: NodeUsageReport;
  readonly pods: ReadonlyMap<string, PodUsageReport>;
}

/** Three reports may go missing, and no node may ask to be believed for longer than this. */
const reportsToMiss = 3;
const longestMs = 10 * 60_000;
const sweepMs = 60_000;

/**
 * What nodes and Pods use now, as their agents tell on the bus: the newest report of each node, until three have failed to
 * come. By our own clock, from the moment of receipt. Nothing is kept, so while the bus is down it soon knows nothing.
 */
export class UsagePicture {
  readonly #options: UsagePictureOptions;
  readonly #heard = new Map<string, Heard>();
  #sweptMs = 0;
  #sinceMs: number | undefined;

  constructor(options: UsagePictureOptions) {
    this.#options = options;
  }

  /** Listens until `signal` aborts. */
  async listen(signal: AbortSignal): Promise<void> {
    const { bus, logger, clock } = this.#options;
    this.#sinceMs = clock.monotonicMs();
    for await (const { payload } of bus.subscribe(subjectPattern('usage', anyToken), { signal })) {
      try {
        this.take(NodeUsageReport.decode(payload));
      } catch (error) {
        logger.warn({ err: error }, 'a report of what a node uses could not be read');
      }
    }
  }

  take(report: NodeUsageReport): void {
    const { isNode, clock } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#sweptMs >= sweepMs) this.#sweep(now);
    if (!isNode(report.nodeName)) return;
    const untilMs = now + Math.min(Number(report.intervalMs) * reportsToMiss, longestMs);
    const pods = new Map(report.pods.map((pod) => [pod.uid, pod]));
    this.#heard.set(report.nodeName, { untilMs, report, pods });
  }

  /** Undefined when the node is not heard of. */
  ofNode(name: string): UsageReading<Usage> | undefined {
    const heard = this.#current(name);
    const used = heard?.report.node;
    return used && heard && reading(heard, used);
  }

  /** By container. Undefined when the Pod's node is not heard of, or says nothing of the Pod. */
  ofPod(nodeName: string, uid: string): UsageReading<PodUsageReport['containers']> | undefined {
    const heard = this.#current(nodeName);
    const pod = heard?.pods.get(uid);
    return pod && heard && reading(heard, pod.containers);
  }

  /** For how long it has listened; 0 before that. */
  get listenedMs(): number {
    return this.#sinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#sinceMs;
  }

  /** Why something may be missing here, in a sentence. */
  get explanation(): string {
    return this.#options.bus.connected
      ? 'a node tells what it uses every few seconds, and what has only just started from the second time on'
      : 'the event bus (NATS) can not be reached, and usage travels on nothing else';
  }

  #current(name: string): Heard | undefined {
    const heard = this.#heard.get(name);
    return heard !== undefined && heard.untilMs > this.#options.clock.monotonicMs() ? heard : undefined;
  }

  #sweep(now: number): void {
    this.#sweptMs = now;
    for (const [name, { untilMs }] of this.#heard) if (untilMs <= now) this.#heard.delete(name);
  }
}

function reading<T>({ report }: Heard, used: T): UsageReading<T> {
  return { atMs: Date.parse(report.time), windowMs: Number(report.windowMs), used };
}
