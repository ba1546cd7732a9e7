import { afterEach, beforeEach, describe } from 'vitest';
import { readConformance } from './conformance-reads.ts';
import { watchConformance } from './conformance-watch.ts';
import { writeConformance } from './conformance-writes.ts';
import type { Subject } from './conformance-subject.ts';
import type { Store } from './store.ts';

let tests = 0;

/**
 * The Store contract as tests, for every implementation. `makeStore` may give a new store on old data: the tests write
 * under prefixes of their own and take no revision for granted; but nobody else may write or compact meanwhile.
 */
export function storeConformance(name: string, makeStore: () => Promise<Store>): void {
  describe(`${name} keeps the Store contract`, () => {
    let current: Subject | undefined;
    beforeEach(async () => {
      current = { store: await makeStore(), prefix: `/conformance/${process.pid}/${tests++}/` };
    });
    afterEach(() => current?.store.close());
    const subject = (): Subject => {
      if (!current) throw new Error('there is no store outside a test');
      return current;
    };
    describe('reads', () => {
      readConformance(subject);
    });
    describe('writes', () => {
      writeConformance(subject);
    });
    describe('watch', () => {
      watchConformance(subject);
    });
  });
}
