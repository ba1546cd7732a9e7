/**
 * What a run leaves behind: what was asked and answered, what watchers were told, and what etcd says has happened. Plain data,
 * so that the checks are pure functions of it and can be shown histories that never were.
 */

/** An object's kind, namespace and name: `pods default/web`. */
export type Key = string;

/** One version of an object, with the marks that the checker's writes leave in it. */
export interface Version {
  readonly key: Key;
  readonly revision: bigint;
  /** Deleted at this revision; the marks are those of the last version. */
  readonly gone: boolean;
  /** The call that wrote all but status. */
  readonly by: string;
  /** The call that wrote status. */
  readonly statusBy: string;
  /** A counter's or an account's number. */
  readonly count: number;
  readonly color: string;
}

/** Every version of every object that the run is about, in order, as etcd's own watch tells it. */
export type Truth = readonly Version[];

/** One change that a write asks for. */
export interface Change {
  /** Undefined when the api makes the name. */
  readonly key: Key | undefined;
  readonly effect: 'object' | 'status' | 'deletion';
  /** Only of this version; 0n: of any. */
  readonly expected: bigint;
  /** The number in the object is one more than it was in the version that was expected. */
  readonly increments?: boolean;
}

export type Question =
  | { readonly type: 'write'; readonly changes: readonly Change[]; readonly atomic: boolean }
  | { readonly type: 'get'; readonly key: Key }
  | { readonly type: 'list'; readonly selection: Selection };

/** What lists and watches choose; all when empty. */
export interface Selection {
  readonly kind: string;
  readonly namespace: string;
  readonly color: string;
}

export type Outcome =
  /** For each change the key and revision that the api answered with; undefined when that one was refused. */
  | { readonly type: 'written'; readonly at: readonly ({ readonly key: Key; readonly revision: bigint } | undefined)[] }
  /** For a get: the object or none, and 0n. For a list: its revision. */
  | { readonly type: 'read'; readonly revision: bigint; readonly objects: readonly Version[] }
  /** For certain nothing was done. */
  | { readonly type: 'refused'; readonly reason: string }
  /** Nobody knows, until etcd is asked. */
  | { readonly type: 'unknown'; readonly reason: string };

/** One call of a client. `began` and `ended` are places in the one order of all beginnings and ends. */
export interface Call {
  /** The mark that its writes leave. */
  readonly id: string;
  readonly words: string;
  readonly began: number;
  readonly ended: number;
  readonly question: Question;
  readonly outcome: Outcome;
}

export interface Seen {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: Version;
}

/** What one watcher asked for and was told, in order. */
export type WatchEntry =
  | { readonly type: 'asked'; readonly after: bigint }
  | { readonly type: 'told'; readonly revision: bigint; readonly initial: boolean; readonly events: readonly Seen[] }
  /** `newest` is what etcd had come to by then. */
  | { readonly type: 'expired'; readonly newest: bigint };

export interface WatchRecord {
  readonly name: string;
  readonly selections: readonly Selection[];
  readonly entries: readonly WatchEntry[];
}

/** What the handlers and caches of an informer showed. */
export interface InformerRecord {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly changes: readonly Seen[];
  /** What its caches held at the end. */
  readonly held: readonly Version[];
  /** Sums of all accounts, each time that one changed. */
  readonly sums: readonly { readonly revision: bigint; readonly sum: number }[];
}

/** A promise that was broken: which, how, and by what. */
export interface Violation {
  readonly promise: string;
  readonly what: string;
  readonly calls: readonly Call[];
}

export function selects(selections: readonly Selection[], { key, color }: Version): boolean {
  const [kind = '', path = ''] = key.split(' ');
  const namespace = path.slice(0, path.indexOf('/'));
  return selections.some(
    (each) =>
      (each.kind === '' || each.kind === kind) &&
      (each.namespace === '' || each.namespace === namespace) &&
      (each.color === '' || each.color === color),
  );
}

/** What there is at a revision. */
export function stateAt(truth: Truth, revision: bigint): Map<Key, Version> {
  const state = new Map<Key, Version>();
  for (const version of truth) {
    if (version.revision > revision) break;
    if (version.gone) state.delete(version.key);
    else state.set(version.key, version);
  }
  return state;
}

export function versionsByKey(truth: Truth): Map<Key, readonly Version[]> {
  return Map.groupBy(truth, ({ key }) => key);
}
