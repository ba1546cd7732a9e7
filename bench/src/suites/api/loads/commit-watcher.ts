import { createLogger } from '@navarch/kit';
import { EtcdStore } from '@navarch/store';
import type { ChildContext } from '../../../frame/child.ts';
import { MomentLog, type Moments } from '../moments.ts';

export interface CommitWatcher {
  readonly etcd: string;
}

/** When etcd tells of each Pod that was written: then it is committed. */
export default async function watch({ etcd }: CommitWatcher, { ready, stopped }: ChildContext): Promise<Moments> {
  const store = new EtcdStore({ endpoints: etcd, logger: createLogger({ name: 'bench', level: 'warn' }) });
  const after = await store.revision(stopped);
  const log = new MomentLog();
  ready();
  for await (const { revision, events } of store.watch('/navarch/', { after, signal: stopped })) {
    for (const event of events) {
      if (event.type === 'put' && event.entry.key.includes('/pods/')) log.add(Number(revision));
    }
  }
  await store.close();
  return log.moments();
}
