import type { KindDefinition } from '@navarch/kinds';
import { Form, type ObjectMeta } from '@navarch/proto';
import { encodePartial } from '../wire/partial.ts';
import { bodyInKind } from '../wire/custom.ts';
import { encodeEvent, encodeResource, type EventType, objectBytes } from '../wire/responses.ts';

/** What the api itself reads of an object of any kind. Never changed: it is shared. */
export interface ReadonlyObject {
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** One version of an object: its bytes as they travel, and, from the first time somebody looks, its decoded form. */
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

  constructor(
    about: { kind: KindDefinition; key: string; namespace: string; name: string; revision: bigint },
    body: Uint8Array,
  ) {
    this.kind = about.kind;
    this.key = about.key;
    this.namespace = about.namespace;
    this.name = about.name;
    this.revision = about.revision;
    const own = bodyInKind(about.kind, body);
    // A copy: the store's bytes are a view into a much larger message, which would be kept with them.
    this.wire = encodeResource(about.revision, own);
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
    return new CachedObject({ kind, key, namespace, name, revision }, this.body);
  }

  /** Decoded, with `metadata.resourceVersion`. */
  get object(): ReadonlyObject {
    if (this.#object === undefined) {
      const object = decodeObject(this.kind, this.body);
      object.metadata.resourceVersion = this.revision.toString();
      this.#object = object;
    }
    return this.#object;
  }
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
  readonly #encoded = new Map<`${EventType} ${Form}`, Buffer>();

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

  /** What keeping this change in memory costs. */
  get bytes(): number {
    return (this.after?.wire.length ?? 0) + (this.before?.wire.length ?? 0) + 200;
  }

  /** The encoded WatchEvent, made once for all readers. A deletion carries the last state with the change's revision. */
  encode(type: EventType, form: Form = Form.FULL): Buffer {
    let event = this.#encoded.get(`${type} ${form}`);
    if (event === undefined) {
      event = encodeEvent(type, this.#resource(type, form));
      this.#encoded.set(`${type} ${form}`, event);
    }
    return event;
  }

  #resource(type: EventType, form: Form): Buffer {
    const object = type === 3 ? (this.before ?? this.newest) : this.newest;
    if (form === Form.METADATA) return encodePartial(this.revision, object.body, object.kind);
    return object.revision === this.revision ? object.wire : encodeResource(this.revision, object.body);
  }
}

/** All changes of one revision. */
export interface ChangeSet {
  readonly revision: bigint;
  readonly changes: readonly Change[];
}
