import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { create } from './api/create.ts';
import { feed } from './api/feed.ts';
import { floor } from './api/floor.ts';
import { list } from './api/list.ts';
import { loneCreate } from './api/lone-create.ts';
import type { PartOptions } from './api/measure.ts';
import { memory } from './api/memory.ts';
import { transact } from './api/transact.ts';

/** Each part has an etcd and an api of its own, so that none sees what another left behind. */
const parts: Readonly<Record<string, (options: PartOptions) => AsyncIterable<Figure>>> = {
  transact,
  create,
  'lone-create': loneCreate,
  list,
  feed,
  memory,
  floor,
};

/** How fast the api is, and how much memory it takes, beside what etcd, gRPC and NATS themselves can do. */
export const api: Suite = {
  name: 'api',
  summary: 'writes, lists, the change feed, memory and restart of the api, beside etcd, gRPC and NATS alone',
  parts: Object.keys(parts),
  async *run({ say, signal, only, profileDir }: SuiteOptions): AsyncIterable<Figure> {
    for (const [name, part] of Object.entries(parts)) {
      if (only !== undefined && !only.includes(name)) continue;
      signal.throwIfAborted();
      yield* part({ say, profileDir });
    }
  },
};
