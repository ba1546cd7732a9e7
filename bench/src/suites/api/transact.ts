import type { Figure } from '../../frame/figure.ts';
import { startApiProcess } from './api-process.ts';
import { describeCosts, diskEtcd, measure, type PartOptions } from './measure.ts';

const inFlight = 6;
const timed = { seconds: 4, warmUpSeconds: 4 };

/** Creates by Transact, beside raw creates in the same batches before and after, while the api does not run. */
export async function* transact({ say, profileDir }: PartOptions): AsyncIterable<Figure> {
  await using etcd = await diskEtcd();
  const pids = { etcd: etcd.pid };
  let from = 0;
  const raw = async () => {
    say('raw creates straight to etcd, in batches of 100 …');
    const measured = await measure({ call: 'rawCreates', address: etcd.endpoint, inFlight, from, until: timed }, pids);
    from = measured.next;
    say(describeCosts('raw', measured));
    return measured.perSecond;
  };
  const before = await raw();
  const api = await startApiProcess({ etcd: etcd.endpoint, profileDir });
  let figure: number;
  try {
    say('creates by Transact, in batches of 100 …');
    const measured = await measure(
      { call: 'transact', address: api.address, inFlight, from: 0, until: timed },
      { ...pids, api: api.pid },
    );
    say(describeCosts('Transact', measured));
    figure = measured.perSecond;
  } finally {
    await api.stop();
  }
  const limit = (before + (await raw())) / 2;
  const unit = 'objects/s';
  yield { name: 'created by Transact, in batches of 100', value: figure, unit, limit, goal: { ratioAtLeast: 0.5 } };
  yield { name: 'created by Transact', value: figure, unit, goal: { atLeast: 10_000 } };
}
