import { Child } from '../../frame/child.ts';
import type { Figure } from '../../frame/figure.ts';
import type { UnaryLoad } from './loads/unary-load.ts';
import { describeCosts, diskEtcd, measure, type PartOptions } from './measure.ts';

const timed = { seconds: 4, warmUpSeconds: 4 };
const loads: readonly (Pick<UnaryLoad, 'call' | 'inFlight'> & { readonly name: string })[] = [
  { name: 'batches of 100', call: 'transact', inFlight: 6 },
  { name: 'single calls, 256 in flight', call: 'create', inFlight: 256 },
];

/** The same loads as of `transact` and `create` on a server that decodes, puts and answers, and does nothing else. */
export async function* floor({ say }: PartOptions): AsyncIterable<Figure> {
  for (const { name, call, inFlight } of loads) {
    await using etcd = await diskEtcd();
    const server = new Child<void>(new URL('loads/bare-server.js', import.meta.url), etcd.endpoint);
    try {
      const address = `127.0.0.1:${await server.ready<number>()}`;
      say(`creates on a server that checks nothing, ${name} …`);
      const measured = await measure(
        { call, address, inFlight, from: 0, until: timed },
        { server: server.pid, etcd: etcd.pid },
      );
      say(describeCosts('bare', measured));
      yield { name: `a bare server, ${name}`, value: measured.perSecond, unit: 'objects/s' };
      yield { name: 'its processor time for each', value: measured.cpuMicros['server'] ?? 0, unit: 'µs' };
    } finally {
      await server.kill();
    }
  }
}
