import { isApiError } from '@navarch/machinery';
import * as fc from 'fast-check';
import { lines, put, remove, text, watched } from './observe.fixture.ts';
import type { Entry, Store, Transaction } from './store.ts';

/** One call of the Store, with revisions counted back from the newest so that it makes sense on any store. */
export type Step =
  | { readonly call: 'commit'; readonly compare: readonly Guess[]; readonly ops: Transaction['ops'] }
  | { readonly call: 'get'; readonly key: string; readonly ago: number | undefined }
  | {
      readonly call: 'list';
      readonly prefix: string;
      readonly ago: number | undefined;
      readonly limit: number | undefined;
      readonly startAfter: string | undefined;
    }
  | { readonly call: 'watch'; readonly prefix: string; readonly ago: number }
  | { readonly call: 'compact'; readonly ago: number };

interface Guess {
  readonly key: string;
  readonly expects: 'nothing' | 'what is there' | 'something older' | 'nothing newer' | 'nothing as new';
}

// Few keys, so that they meet; their UTF-8 order is not that of their code units.
const names = ['a', 'a/', 'a/b', 'ab', 'b', '\uffff', '😀'];
const key = fc.constantFrom(...names);
const prefix = fc.constantFrom('', 'a', 'a/', 'b', '😀', 'none');
const ago = fc.option(fc.integer({ min: -1, max: 6 }), { nil: undefined, freq: 2 });

export const someCompares: fc.Arbitrary<readonly Guess[]> = fc.uniqueArray(
  fc.record({
    key,
    expects: fc.constantFrom<Guess['expects'][]>(
      'nothing',
      'what is there',
      'what is there',
      'something older',
      'nothing newer',
      'nothing as new',
    ),
  }),
  { maxLength: 2, selector: (guess) => guess.key },
);

export const someOps: fc.Arbitrary<Transaction['ops']> = fc.uniqueArray(
  fc.oneof(
    fc.record({ key, value: fc.string({ maxLength: 3 }) }).map(({ key, value }) => put(key, value)),
    key.map((name) => remove(name)),
  ),
  { maxLength: 4, selector: (op) => op.key },
);

export const someSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ call: fc.constant('commit' as const), compare: someCompares, ops: someOps }) },
    { weight: 2, arbitrary: fc.record({ call: fc.constant('get' as const), key, ago }) },
    {
      weight: 3,
      arbitrary: fc.record({
        call: fc.constant('list' as const),
        prefix,
        ago,
        limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        startAfter: fc.option(key, { nil: undefined }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ call: fc.constant('watch' as const), prefix, ago: fc.integer({ min: 0, max: 8 }) }),
    },
    { weight: 1, arbitrary: fc.record({ call: fc.constant('compact' as const), ago: fc.integer({ min: 0, max: 4 }) }) },
  ),
  { minLength: 1, maxLength: 40 },
);

/**
 * Takes the steps under `root` one after the other and says what each one gave, with revisions counted from where the
 * store stood at first, so that stores of different pasts can be compared.
 */
export async function take(steps: readonly Step[], store: Store, root: string): Promise<string[]> {
  const base = await store.revision();
  const said: string[] = [];
  for (const step of steps) {
    try {
      said.push(await one(step, store, { root, base }));
    } catch (error) {
      if (!isApiError(error)) throw error;
      said.push(`${step.call}: ${error.reason}`);
    }
  }
  return said;
}

async function one(step: Step, store: Store, { root, base }: { root: string; base: bigint }): Promise<string> {
  const newest = await store.revision();
  const at = (ago: number | undefined) => (ago === undefined ? {} : { revision: max(newest - BigInt(ago), base) });
  const show = (entry: Entry | undefined) =>
    entry &&
    `${entry.key.slice(root.length)}=${text(entry)}@${entry.createRevision - base}/${entry.modRevision - base}`;
  switch (step.call) {
    case 'commit': {
      const compare = await Promise.all(step.compare.map((guess) => toCompare(guess, store, root)));
      const result = await store.commit({ compare, ops: step.ops.map((op) => ({ ...op, key: root + op.key })) });
      const conflicts = result.committed
        ? []
        : result.conflicts.map(({ key, entry }) => show(entry) ?? key.slice(root.length));
      return `commit: ${result.committed} ${result.revision - base} ${conflicts.join()}`;
    }
    case 'get':
      return `get: ${show(await store.get(root + step.key, at(step.ago)))}`;
    case 'list': {
      const { prefix, ago, limit, startAfter } = step;
      const options = { ...at(ago), ...(limit && { limit }), ...(startAfter && { startAfter: root + startAfter }) };
      const { entries, revision, more } = await store.list(root + prefix, options);
      return `list: ${revision - base} ${more} ${entries.map(show).join()}`;
    }
    case 'watch': {
      const after = max(newest - BigInt(step.ago), base);
      const batches = await watched(store, root + step.prefix, { after, until: newest });
      const events = batches.map(
        (batch) =>
          `${batch.revision - base}: ${lines([batch])
            .map((line) => line.replace(/^\d+ /, ''))
            .join()}`,
      );
      return `watch: ${events.join('; ').replaceAll(root, '')}`;
    }
    case 'compact': {
      await store.compact(max(newest - BigInt(step.ago), base));
      return 'compact';
    }
    default:
      return step satisfies never;
  }
}

async function toCompare({ key, expects }: Guess, store: Store, root: string): Promise<Transaction['compare'][number]> {
  const found = (await store.get(root + key))?.modRevision ?? 0n;
  const older = found > 1n ? found - 1n : 7n;
  const guesses = {
    nothing: { modRevision: 0n },
    'what is there': { modRevision: found },
    'something older': { modRevision: older },
    'nothing newer': { notAfter: found },
    'nothing as new': { notAfter: older },
  };
  return { key: root + key, ...guesses[expects] };
}

const max = (a: bigint, b: bigint) => (a > b ? a : b);
