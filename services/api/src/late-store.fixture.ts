import { MemoryStore, type WatchBatch } from '@navarch/store';

/** For tests: a store whose news come late, as they do from a busy etcd, so that every decision is made on old state. */
export class LateStore extends MemoryStore {
  override async *watch(...args: Parameters<MemoryStore['watch']>): AsyncGenerator<WatchBatch, void, void> {
    for await (const batch of super.watch(...args)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      yield batch;
    }
  }
}
