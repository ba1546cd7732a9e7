import type { KindDefinition } from '@navarch/kinds';
import { Form, type ObjectMeta } from '@navarch/proto';
import { encodePartial } from '../wire/partial.ts';
import { bodyInKind } from '../wire/custom.ts';
import { labelsOf, textReader } from '../wire/fields.ts';
import { deleted, encodeResource, type EventType, objectBytes, type WireEvent } from '../wire/responses.ts';
import { DecodedForms } from './decoded-forms.ts';

/** What the api itself reads of an object of any kind. Never changed: it is shared. */
export interface ReadonlyObject {
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Decoded forms take ten times as much as encoded ones: only those that somebody looked at lately are kept. */
const decodedForms = new DecodedForms<CachedObject>(4 * 1024 * 1024);

/** One version of an object: its bytes as they travel, and for a while its decoded form, once somebody has looked. */
export class CachedObject {
  readonly kind: KindDefinition;
  /** The storage key. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** The revision of this version. */
  readonly revision: bigint;
  /** The encoded Resource, with its revision. */
  readonly wire: Buffer;
  readonly #bodyLength: number;
  #object: ReadonlyObject | undefined;

  /** `body` is an encoded Resource without revision, or an object whose bytes are shared. */
  constructor(
    about: { kind: KindDefinition; key: string; namespace: string; name: string; revision: bigint },
    body: Uint8Array | CachedObject,
  ) {
    this.kind = about.kind;
    this.key = about.key;
    this.namespace = about.namespace;
    this.name = about.name;
    this.revision = about.revision;
    if (body instanceof CachedObject) {
      this.wire = body.wire;
      this.#bodyLength = body.#bodyLength;
      return;
    }
    const own = bodyInKind(about.kind, body);
    // A copy: the store's bytes are a view into a much larger message, which would be kept with them.
    this.wire = encodeResource(about.revision, own, { kept: true });
    this.#bodyLength = own.length;
  }

  /** The encoded Resource without its revision. */
  get body(): Buffer {
    return this.wire.subarray(this.wire.length - this.#bodyLength);
  }

  /** The encoded Resource as a reader wants it. */
  as(form: Form): Buffer {
    return form === Form.METADATA ? encodePartial(this.revision, this.body, this.kind) : this.wire;
  }

  /** The object as one of `kind`: another version of its kind, or the same as its definition has it now. */
  inKind(kind: KindDefinition): CachedObject {
    if (kind === this.kind) return this;
    const { key, namespace, name, revision } = this;
    const isSameVersion = kind.apiVersion === this.kind.apiVersion;
    return new CachedObject({ kind, key, namespace, name, revision }, isSameVersion ? this : this.body);
  }

  /** Decoded, with `metadata.resourceVersion`. */
  get object(): ReadonlyObject {
    let object = this.#object;
    if (object === undefined) {
      const decoded = decodeObject(this.kind, this.body);
      decoded.metadata.resourceVersion = this.revision.toString();
      this.#object = object = decoded;
      decodedForms.keep(this, this.#bodyLength);
    }
    return object;
  }

  /** Its labels, read without decoding the rest. */
  get labels(): Readonly<Record<string, string>> {
    if (this.#object !== undefined) return this.#object.metadata.labels;
    return labelsOf(objectBytes(this.body));
  }

  /** What its kind's feed field holds, read without decoding the rest; '' for kinds without one. */
  get feedToken(): string {
    return feedReader(this.kind)?.(objectBytes(this.body)) ?? '';
  }

  /** The decoded form is made again when somebody looks again. */
  forget(): void {
    this.#object = undefined;
  }
}

const feedReaders = new WeakMap<KindDefinition, (object: Uint8Array) => string>();

function feedReader(kind: KindDefinition): ((object: Uint8Array) => string) | undefined {
  if (kind.feedField === undefined) return undefined;
  let reader = feedReaders.get(kind);
  if (reader === undefined) feedReaders.set(kind, (reader = textReader(kind.schema, kind.feedField)));
  return reader;
}

/** A copy of the object in `body` (an encoded Resource without revision) that the caller may change. */
export function decodeObject(kind: KindDefinition, body: Uint8Array): ReadonlyObject & { metadata: ObjectMeta } {
  const object = kind.message.decode(objectBytes(body));
  // Everything that was written has metadata: the pipeline refuses objects without a name.
  return object as ReadonlyObject & { metadata: ObjectMeta };
}

/** One object's change at one revision. Before: undefined when it is new; after: undefined when it is gone. */
export class Change {
  readonly revision: bigint;
  readonly before: CachedObject | undefined;
  readonly after: CachedObject | undefined;

  constructor(revision: bigint, before: CachedObject | undefined, after: CachedObject | undefined) {
    this.revision = revision;
    this.before = before;
    this.after = after;
  }

  /** The newest state there is, which for a deletion is the last one. */
  get newest(): CachedObject {
    const object = this.after ?? this.before;
    if (object === undefined) throw new Error('a change has neither a before nor an after');
    return object;
  }

  get kind(): KindDefinition {
    return this.newest.kind;
  }

  /** The change as one of an object of `kind`, which may be another version of its kind. */
  inKind(kind: KindDefinition): Change {
    if (kind.apiVersion === this.kind.apiVersion) return this;
    return new Change(this.revision, this.before?.inKind(kind), this.after?.inKind(kind));
  }

  /**
   * What keeping this change in memory costs: what it was before, which nothing else keeps, and this entry. What it is
   * after is in the cache, or counts as what it was before the next change.
   */
  get bytes(): number {
    return (this.before === undefined ? 0 : this.before.wire.length + objectBytesAside) + entryBytes;
  }

  /** The WatchEvent to be encoded. A deletion carries the last state with the change's revision. */
  event(type: EventType, form: Form = Form.FULL): WireEvent {
    return { type, resource: this.#resource(type, form) };
  }

  #resource(type: EventType, form: Form): Buffer {
    const object = type === deleted ? (this.before ?? this.newest) : this.newest;
    if (form === Form.METADATA) return encodePartial(this.revision, object.body, object.kind);
    return object.revision === this.revision ? object.wire : encodeResource(this.revision, object.body);
  }
}

/** About what an object takes in memory beside its bytes, and an entry of the history beside its objects. */
const objectBytesAside = 500;
const entryBytes = 200;

/** All changes of one revision. */
export interface ChangeSet {
  readonly revision: bigint;
  readonly changes: readonly Change[];
}
