import type { Figure } from '../../frame/figure.ts';
import { Child } from '../../frame/child.ts';
import { residentMiB } from '../../frame/process-usage.ts';
import { median } from '../../frame/samples.ts';
import { startApiProcess } from './api-process.ts';
import type { ListReader, ListResult } from './loads/list-reader.ts';
import { diskEtcd, load, type PartOptions } from './measure.ts';
import { settledMiB } from './settled.ts';

const pods = 50_000;
const rounds = 5;
const sampleMs = 10;

/** The beginning of a watch, which is every Pod there is, read as fast as it comes, and then by somebody slow. */
export async function* list({ say, profileDir }: PartOptions): AsyncIterable<Figure> {
  await using etcd = await diskEtcd();
  await fill(etcd.endpoint, pods, say);
  // Another process: what the writing left in the first one's memory would hide what reading takes.
  const api = await startApiProcess({ etcd: etcd.endpoint, profileDir });
  try {
    const before = await settledMiB(api.pid);
    const { address } = api;
    say(`reading ${pods} Pods, ${rounds} times …`);
    const rates: number[] = [];
    let grown = 0;
    for (let round = 0; round < rounds; round++) {
      const { result, peakMiB } = await readOnce({ address, pauseMs: 0 }, api.pid);
      rates.push(result.objects / result.seconds);
      grown = Math.max(grown, peakMiB - before);
    }
    yield { name: 'Pods read by a stream', value: median(rates), unit: 'objects/s', goal: { atLeast: 100_000 } };
    yield { name: 'memory of the api meanwhile, grown by', value: grown, unit: 'MiB', goal: { atMost: 64 } };
    say('reading them slowly …');
    const slow = await readOnce({ address, pauseMs: 20 }, api.pid);
    const slowGrown = Math.max(0, slow.peakMiB - before);
    yield { name: 'the same with a slow reader', value: slowGrown, unit: 'MiB', goal: { atMost: 64 } };
  } finally {
    await api.stop();
  }
}

/** Makes Pods through an api of its own, which is gone afterwards. */
export async function fill(etcd: string, objects: number, say: PartOptions['say']): Promise<void> {
  const api = await startApiProcess({ etcd });
  try {
    say(`creating ${objects} Pods …`);
    await load({ call: 'transact', address: api.address, inFlight: 4, from: 0, until: { objects } });
  } finally {
    await api.stop();
  }
}

async function readOnce(options: ListReader, api: number): Promise<{ result: ListResult; peakMiB: number }> {
  const reader = new Child<ListResult>(new URL('loads/list-reader.js', import.meta.url), options);
  let peakMiB = residentMiB(api);
  const sampling = setInterval(() => (peakMiB = Math.max(peakMiB, residentMiB(api))), sampleMs);
  try {
    const result = await reader.result();
    if (result.objects !== pods) throw new Error(`the stream brought ${result.objects} Pods, not ${pods}`);
    return { result, peakMiB };
  } finally {
    clearInterval(sampling);
    await reader.kill();
  }
}
