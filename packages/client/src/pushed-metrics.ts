import { type EventBus, subject } from '@navarch/bus';
import type { Clock, Logger } from '@navarch/kit';
import { type PushedMetric, PushMetricsRequest } from '@navarch/proto';

/** Where metrics that were pushed travel. */
export const pushedMetricsSubject = subject('metrics');

export interface PushedMetricsOptions {
  readonly bus: Pick<EventBus, 'subscribe' | 'connected'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
  /** So many series are remembered. Default 10,000. */
  readonly mostSeries?: number;
}

interface Series {
  readonly metric: PushedMetric;
  readonly untilMs: number;
}

const defaultTtlMs = 60_000;
const longestTtlMs = 600_000;

/**
 * What others measured: the newest value of each series (its namespace, name, object and labels), until its time is over,
 * by our own clock from the moment of receipt. When there is no room for a new series it is left out, and that is logged.
 */
export class PushedMetrics {
  readonly #options: PushedMetricsOptions;
  /** By namespace and name, then by object and labels. */
  readonly #names = new Map<string, Map<string, Series>>();
  #size = 0;
  #full = false;

  constructor(options: PushedMetricsOptions) {
    this.#options = options;
  }

  /** Listens until `signal` aborts. */
  async listen(signal: AbortSignal): Promise<void> {
    const { bus, logger } = this.#options;
    for await (const { payload } of bus.subscribe(pushedMetricsSubject, { signal })) {
      try {
        for (const metric of PushMetricsRequest.decode(payload).metrics) this.take(metric);
      } catch (error) {
        logger.warn({ err: error }, 'metrics that were pushed could not be read');
      }
    }
  }

  /** False when there was no room. */
  take(metric: PushedMetric): boolean {
    const { clock, logger, mostSeries = 10_000 } = this.#options;
    const ttlMs = metric.ttlMs <= 0n ? defaultTtlMs : Math.min(Number(metric.ttlMs), longestTtlMs);
    const name = nameKey(metric);
    const key = seriesKey(metric);
    const isNew = this.#names.get(name)?.has(key) !== true;
    if (isNew && this.#size >= mostSeries) this.#sweep();
    const noRoom = isNew && this.#size >= mostSeries;
    if (noRoom !== this.#full && isNew) {
      if (noRoom) logger.warn({ series: this.#size }, 'too many metrics are pushed; new series are left out');
      this.#full = noRoom;
    }
    if (noRoom) return false;
    const series = this.#names.get(name) ?? new Map<string, Series>();
    this.#names.set(name, series);
    if (isNew) this.#size++;
    series.set(key, { metric, untilMs: clock.monotonicMs() + ttlMs });
    return true;
  }

  /** The series of one name that count now. */
  named(namespace: string, name: string): readonly PushedMetric[] {
    return this.#alive(this.#names.get(nameKey({ namespace, name }))?.values() ?? []);
  }

  /** All that count now. */
  all(): readonly PushedMetric[] {
    return [...this.#names.values()].flatMap((series) => this.#alive(series.values()));
  }

  /** Why a metric may be missing here, in a sentence. */
  get explanation(): string {
    return this.#options.bus.connected
      ? 'nobody pushed one in time'
      : 'the event bus (NATS) can not be reached, and metrics travel on nothing else';
  }

  #alive(series: Iterable<Series>): PushedMetric[] {
    const now = this.#options.clock.monotonicMs();
    return [...series].filter(({ untilMs }) => untilMs > now).map(({ metric }) => metric);
  }

  #sweep(): void {
    const now = this.#options.clock.monotonicMs();
    for (const [name, series] of this.#names) {
      for (const [key, { untilMs }] of series) {
        if (untilMs > now) continue;
        series.delete(key);
        this.#size--;
      }
      if (series.size === 0) this.#names.delete(name);
    }
  }
}

function nameKey({ namespace, name }: Pick<PushedMetric, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function seriesKey({ object, labels }: PushedMetric): string {
  const of = object === undefined ? [] : [object.kind, object.apiVersion, object.name];
  return JSON.stringify([of, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
