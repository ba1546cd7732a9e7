import { builtinKinds, configMap as configMapKind, lease as leaseKind } from '@navarch/kinds';
import { VirtualClock } from '@navarch/kit';
import { ConfigMap, Resource, type WatchEvent, WatchEvent_Type, WatchResponse } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { valueOf } from '../api.fixture.ts';
import { select } from '../read/selection.ts';
import { Watcher } from '../read/watcher.ts';
import { storageKey } from '../storage/keys.ts';
import { encodeWatch } from '../wire/responses.ts';
import { CachedObject } from './cached-object.ts';
import { byKey, ObjectCache, type Update } from './object-cache.ts';

const namespaces = ['a', 'a-b', 'b'];
const names = ['x', 'y', 'z'];
type Step = { namespace: string; name: string; team: string | undefined };
const step = fc.record({
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom(...names),
  team: fc.option(fc.constantFrom('red', 'blue'), { nil: undefined }),
});
/** Transactions: several distinct objects may change at one revision. */
const history = fc.array(
  fc.uniqueArray(step, { minLength: 1, maxLength: 4, selector: ({ namespace, name }) => `${namespace}/${name}` }),
  { maxLength: 60 },
);

function update({ namespace, name, team }: Step, revision: bigint): Update {
  const about = { kind: configMapKind, namespace, name };
  if (team === undefined) return { ...about, object: undefined };
  const value = ConfigMap.fromJSON({ metadata: { namespace, name, labels: { team } } });
  const body = Resource.encode({ revision: 0n, object: { $case: 'configMap', value } }).finish();
  const key = storageKey(configMapKind, { namespace, name });
  return { ...about, object: new CachedObject({ ...about, key, revision }, body) };
}

const contentOf = (objects: Iterable<CachedObject>) =>
  [...objects].map(({ namespace, name, revision }) => `${namespace}/${name}@${revision}`);

/** What a reader holds who applies what a watcher says. `wrong` is what can't follow from what came before. */
class Replica {
  readonly objects = new Map<string, bigint>();
  readonly wrong: string[] = [];
  revision = 0n;

  take(watcher: Watcher): void {
    for (let response = watcher.take(); response !== undefined; response = watcher.take()) {
      const { revision, events, initial } = WatchResponse.decode(encodeWatch(response));
      if (!initial && revision < this.revision) this.wrong.push(`${revision} after ${this.revision}`);
      for (const { type, resource } of events) this.#apply(type, resource);
      if (!initial) this.revision = revision;
    }
  }

  #apply(type: WatchEvent['type'], resource: Resource | undefined): void {
    const { namespace = '', name = '' } = valueOf<ConfigMap>(resource).metadata ?? {};
    const key = `${namespace}/${name}`;
    if (this.objects.has(key) === (type === WatchEvent_Type.ADDED)) this.wrong.push(`${key} of type ${type}`);
    if (type === WatchEvent_Type.DELETED) this.objects.delete(key);
    else this.objects.set(key, resource?.revision ?? 0n);
  }

  get content(): string[] {
    return [...this.objects].map(([key, revision]) => `${key}@${revision}`);
  }
}

test.each([
  { what: 'everything', target: {} },
  { what: 'a namespace', target: { namespace: 'a' } },
  { what: 'a label', target: { labelSelector: 'team=red' } },
  { what: 'a label that is missing', target: { labelSelector: 'team!=red', fieldSelector: 'metadata.name!=x' } },
])('a watch of $what equals the list, wherever it begins and however often it is read', ({ target }) => {
  const selection = select(builtinKinds, {
    resource: 'configmaps',
    namespace: '',
    labelSelector: '',
    fieldSelector: '',
    ...target,
  });
  fc.assert(
    fc.property(
      history,
      fc.nat(60),
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      (history, start, reads) => {
        const cache = new ObjectCache();
        cache.reset([], 1n);
        const replica = new Replica();
        let watcher: Watcher | undefined;
        for (const [i, steps] of [...history, []].entries()) {
          if (i === Math.min(start, history.length)) {
            watcher = new Watcher({ cache, selections: [selection], after: 0n, clock: new VirtualClock() });
          }
          if (reads[i] && watcher) replica.take(watcher);
          const revision = BigInt(i + 2);
          cache.apply(
            revision,
            steps.map((each) => update(each, revision)),
          );
        }
        if (watcher) replica.take(watcher);
        const listed = [...cache.list(configMapKind, selection.namespace)].filter((object) =>
          selection.matches(object),
        );
        expect(replica.wrong).toEqual([]);
        expect(new Set(replica.content)).toEqual(new Set(contentOf(listed)));
      },
    ),
  );
});

test('a list at an earlier revision, and each object, is what it was then', () => {
  fc.assert(
    fc.property(history, (history) => {
      const cache = new ObjectCache();
      cache.reset([], 1n);
      const past = new Map<bigint, string[]>();
      for (const [i, steps] of history.entries()) {
        const revision = BigInt(i + 2);
        cache.apply(
          revision,
          steps.map((each) => update(each, revision)),
        );
        past.set(revision, contentOf(cache.list(configMapKind)));
      }
      for (const [revision, content] of past) {
        expect(contentOf(cache.listAt(configMapKind, '', revision))).toEqual(content);
        const each = namespaces.flatMap((namespace) =>
          names.flatMap((name) => cache.getAt(configMapKind, namespace, name, revision) ?? []),
        );
        expect(contentOf(each).toSorted()).toEqual(content.toSorted());
      }
    }),
  );
});

test('a list goes on behind any key, now and at an earlier revision, as the whole list does there', () => {
  const key = fc.record({
    namespace: fc.constantFrom(...namespaces, 'zz', 'A'),
    name: fc.constantFrom(...names, 'zz', 'A'),
  });
  const within = fc.constantFrom('', ...namespaces);
  fc.assert(
    fc.property(history, key, within, fc.nat(60), (history, after, namespace, back) => {
      const cache = new ObjectCache();
      cache.reset([], 1n);
      for (const [i, steps] of history.entries()) {
        const revision = BigInt(i + 2);
        cache.apply(
          revision,
          steps.map((each) => update(each, revision)),
        );
      }
      const behind = (all: Iterable<CachedObject>) => contentOf([...all].filter((object) => byKey(object, after) > 0));
      const now = cache.list(configMapKind, namespace, after);
      expect(contentOf(now)).toEqual(behind(cache.list(configMapKind, namespace)));
      const revision = BigInt(Math.max(1, history.length + 1 - back));
      const then = cache.listAt(configMapKind, namespace, revision, after);
      expect(contentOf(then)).toEqual(behind(cache.listAt(configMapKind, namespace, revision)));
    }),
  );
});

test('the order of a list is that of the keys in the store, where the slash after a namespace sorts behind a dash', () => {
  const cache = new ObjectCache();
  const steps = ['b/x', 'a-b/x', 'a/y', 'a/x'].map((key) => key.split('/'));
  cache.apply(
    1n,
    steps.map(([namespace = '', name = '']) => update({ namespace, name, team: 'red' }, 1n)),
  );
  expect(contentOf(cache.list(configMapKind))).toEqual(['a-b/x@1', 'a/x@1', 'a/y@1', 'b/x@1']);
});

test('the history is bounded: a reader who is overtaken is told so, and the writer never waits', () => {
  const cache = new ObjectCache({ maxBytes: 1_000_000, maxChanges: 10 });
  cache.reset([], 1n);
  const selections = [
    select(builtinKinds, { resource: 'configmaps', namespace: '', labelSelector: '', fieldSelector: '' }),
  ];
  const watcher = new Watcher({ cache, selections, after: 1n, clock: new VirtualClock() });
  for (let revision = 2n; revision <= 30n; revision++) {
    cache.apply(revision, [update({ namespace: 'a', name: 'x', team: 'red' }, revision)]);
  }
  expect(cache.history.changes).toBe(10);
  expect(() => watcher.take()).toThrow('too slow');
  expect(() => new Watcher({ cache, selections, after: 5n, clock: new VirtualClock() })).toThrow('list again');
  expect(new Watcher({ cache, selections, after: 29n, clock: new VirtualClock() }).take()).toMatchObject({
    revision: 30n,
    initial: false,
  });
});

test('a bookmark comes at once, then when nothing concerns the reader for a second', async () => {
  const cache = new ObjectCache();
  cache.reset([], 7n);
  const clock = new VirtualClock();
  const selections = [
    select(builtinKinds, { resource: 'configmaps', namespace: '', labelSelector: '', fieldSelector: '' }),
  ];
  const watcher = new Watcher({ cache, selections, after: 7n, clock });
  const { signal } = new AbortController();
  expect(await watcher.next(signal)).toEqual({ revision: 7n, events: [], initial: false });
  const next = watcher.next(signal);
  cache.apply(8n, [{ kind: leaseKind, namespace: 'a', name: 'l', object: undefined }]);
  cache.apply(9n, []);
  await clock.advance(1_000);
  expect(await next).toEqual({ revision: 9n, events: [], initial: false });
});
