import { Child } from '../../frame/child.ts';
import type { Figure } from '../../frame/figure.ts';
import { startApiProcess } from './api-process.ts';
import { describeCosts, diskEtcd, measure, type PartOptions } from './measure.ts';

const inFlight = 256;
const timed = { seconds: 4, warmUpSeconds: 4 };

/** Creates by single calls, beside calls of an empty method with the same request by the same client. */
export async function* create({ say, profileDir }: PartOptions): AsyncIterable<Figure> {
  const server = new Child<void>(new URL('loads/empty-server.js', import.meta.url), undefined);
  try {
    const address = `127.0.0.1:${await server.ready<number>()}`;
    const empty = async () => {
      say('calls of an empty method, 256 in flight …');
      const measured = await measure(
        { call: 'empty', address, inFlight, from: 0, until: timed },
        { server: server.pid },
      );
      say(describeCosts('empty', measured));
      return measured.perSecond;
    };
    const before = await empty();
    const { perSecond, transactionsPerObject } = await creates(say, profileDir);
    const limit = (before + (await empty())) / 2;
    yield {
      name: 'created by Create, 256 in flight',
      value: perSecond,
      unit: 'objects/s',
      limit,
      goal: { ratioAtLeast: 0.7 },
    };
    yield {
      name: 'etcd transactions for each object',
      value: transactionsPerObject,
      unit: '',
      goal: { atMost: 0.05 },
    };
  } finally {
    await server.kill();
  }
}

async function creates(say: PartOptions['say'], profileDir: string | undefined) {
  await using etcd = await diskEtcd();
  const api = await startApiProcess({ etcd: etcd.endpoint, profileDir });
  try {
    say('creates by single calls, 256 in flight …');
    const count = async () => ({
      groups: await api.metric('navarch_store_groups_total'),
      transactions: await api.metric('navarch_store_transactions_total'),
    });
    let before = await count();
    const measured = await measure(
      { call: 'create', address: api.address, inFlight, from: 0, until: timed },
      { api: api.pid, etcd: etcd.pid },
      async () => {
        before = await count();
      },
    );
    const after = await count();
    say(describeCosts('Create', measured));
    // Each create is one transaction of the pipeline, and a group of them one of etcd.
    const transactionsPerObject = (after.groups - before.groups) / (after.transactions - before.transactions);
    return { perSecond: measured.perSecond, transactionsPerObject };
  } finally {
    await api.stop();
  }
}
