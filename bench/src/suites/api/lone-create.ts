import type { Figure } from '../../frame/figure.ts';
import { median } from '../../frame/samples.ts';
import { startApiProcess } from './api-process.ts';
import { diskEtcd, load, type PartOptions } from './measure.ts';

/** In turns, so that both see the same machine. */
const rounds = 3;
const callsPerRound = 1_000;

/** One Create after another, beside one put after another. */
export async function* loneCreate({ say, profileDir }: PartOptions): AsyncIterable<Figure> {
  await using etcd = await diskEtcd();
  const api = await startApiProcess({ etcd: etcd.endpoint, profileDir });
  try {
    say('one Create after another, and one put after another …');
    const until = { objects: callsPerRound };
    // The first calls of a process are slow: their code is not compiled yet.
    await load({ call: 'create', address: api.address, inFlight: 8, from: 50_000_000, until: { objects: 2_000 } });
    const puts: number[] = [];
    const creates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const from = round * callsPerRound;
      puts.push((await load({ call: 'rawPut', address: etcd.endpoint, inFlight: 1, from, until })).medianMs);
      creates.push((await load({ call: 'create', address: api.address, inFlight: 1, from, until })).medianMs);
    }
    const put = median(puts);
    yield { name: 'a lone Create, median', value: median(creates), unit: 'ms', limit: put };
    yield { name: 'a lone Create, on top of a put', value: median(creates) - put, unit: 'ms', goal: { atMost: 1 } };
  } finally {
    await api.stop();
  }
}
