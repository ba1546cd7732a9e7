import type { Metrics } from '@navarch/kit';
import type { StoreObserver } from '@navarch/store';

/** What the store does, as metrics. */
export function storeMetrics(metrics: Metrics): StoreObserver {
  const groups = metrics.counter({
    name: 'navarch_store_groups_total',
    help: 'Groups of transactions that were sent to etcd together.',
    labelNames: ['result'],
  });
  const transactions = metrics.counter({
    name: 'navarch_store_transactions_total',
    help: 'Transactions in these groups.',
  });
  const seconds = metrics.histogram({
    name: 'navarch_store_group_seconds',
    help: 'How long etcd took for a group.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  const waiting = metrics.gauge({
    name: 'navarch_store_waiting_transactions',
    help: 'Transactions that wait for a place in a group.',
  });
  const reconnects = metrics.counter({
    name: 'navarch_store_watch_reconnects_total',
    help: 'Watches of the store that lost their stream and opened another.',
  });
  return {
    group: (group) => {
      groups.inc({ result: group.failed ? 'failed' : 'answered' });
      transactions.inc(group.transactions);
      seconds.observe(group.durationMs / 1000);
    },
    waiting: (count) => waiting.set(count),
    reconnect: () => reconnects.inc(),
  };
}
