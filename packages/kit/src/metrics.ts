import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

type Without<T> = Omit<T, 'registers'>;

/**
 * A process' metrics, in Prometheus' form. Asking again for a name gives the same metric, so that several instances of
 * a class share one and tell themselves apart by a label.
 */
export interface Metrics {
  readonly registry: Registry;
  counter<L extends string>(options: Without<CounterConfiguration<L>>): Counter<L>;
  gauge<L extends string>(options: Without<GaugeConfiguration<L>>): Gauge<L>;
  histogram<L extends string>(options: Without<HistogramConfiguration<L>>): Histogram<L>;
}

/** Every metric carries the label `service`. `process: true` (default) adds memory, CPU and event-loop figures. */
export function createMetrics(service: string, options: { process?: boolean } = {}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  const shared = <M>(name: string, make: () => M): M => {
    const existing = registry.getSingleMetric(name);
    // A name stands for one type of metric and one set of labels in the whole process; hence the cast.
    return existing === undefined ? make() : (existing as M);
  };
  const registers = [registry];
  return {
    registry,
    counter: (config) => shared(config.name, () => new Counter({ ...config, registers })),
    gauge: (config) => shared(config.name, () => new Gauge({ ...config, registers })),
    histogram: (config) => shared(config.name, () => new Histogram({ ...config, registers })),
  };
}
