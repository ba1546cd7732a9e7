import type { Figure } from '../../frame/figure.ts';
import { startApiProcess } from './api-process.ts';
import { diskEtcd, load, type PartOptions } from './measure.ts';
import { settledMiB } from './settled.ts';

const pods = 100_000;

/** What many objects take in the api's memory, and how soon it serves them after a restart. */
export async function* memory({ say, profileDir }: PartOptions): AsyncIterable<Figure> {
  await using etcd = await diskEtcd();
  let api = await startApiProcess({ etcd: etcd.endpoint });
  try {
    const empty = await settledMiB(api.pid);
    yield { name: 'memory of the empty api', value: empty, unit: 'MiB' };
    say(`creating ${pods} Pods …`);
    await load({ call: 'transact', address: api.address, inFlight: 4, from: 0, until: { objects: pods } });
    const written = (await settledMiB(api.pid)) - empty;
    await api.stop();

    say('starting the api anew …');
    const startedMs = performance.now();
    api = await startApiProcess({ etcd: etcd.endpoint, profileDir });
    const seconds = (performance.now() - startedMs) / 1000;
    const objects = await api.metric('navarch_api_objects');
    if (objects < pods) throw new Error(`the api shows ${objects} objects, not ${pods}`);
    const filled = (await settledMiB(api.pid)) - empty;
    yield { name: 'restart with 100,000 Pods to ready', value: seconds, unit: 's', goal: { atMost: 5 } };
    yield { name: 'memory for 100,000 Pods of 1 KB', value: filled, unit: 'MiB', goal: { atMost: 250 } };
    yield { name: 'the same where they were written, with their history', value: written, unit: 'MiB' };
  } finally {
    await api.stop();
  }
}
