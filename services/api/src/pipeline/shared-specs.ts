import { BinaryReader } from '@bufbuild/protobuf/wire';
import { builtinKinds } from '@navarch/kinds';

/**
 * What follows from a spec alone, worked out when it is first needed. Pods of one ReplicaSet have the same spec, down to the
 * byte: they share one object, and whoever looks at it asks here before doing again what was done for the Pod before.
 */
export interface SpecFacts {
  /** The shared spec with all defaults that follow from it alone. */
  completed?: object;
  /** Shared specs that differ from it in some fields, with these. */
  readonly variants: { readonly fields: Fields; readonly spec: object }[];
  /** Its rules were looked at, and nothing is wrong with it. */
  sound?: true;
  /** Its object as encoded, with nothing but the spec. */
  encoded?: Uint8Array;
}

const factsBySpec = new WeakMap<object, SpecFacts>();

/** What is known of a shared spec; undefined for one that belongs to its object alone. */
export function factsOf(spec: unknown): SpecFacts | undefined {
  return typeof spec === 'object' && spec !== null ? factsBySpec.get(spec) : undefined;
}

/** Makes `spec` a shared one. It never changes again: whoever wants another makes another. */
export function share<T extends object>(spec: T): T {
  freeze(spec);
  factsBySpec.set(spec, { variants: [] });
  return spec;
}

/** More than admission makes of one spec at a time. */
const mostVariants = 8;

/** `spec` with other values in some of its fields. Of a shared one it is a shared one, the same again for the same values. */
export function withFields<T extends object>(spec: T, fields: Partial<T>): T {
  const variants = factsOf(spec)?.variants;
  const known = variants?.find((each) => isSame(each.fields, fields));
  if (known !== undefined) return known.spec as T; // put there below
  const made = { ...spec, ...fields };
  if (variants !== undefined) {
    if (variants.length === mostVariants) variants.shift();
    variants.push({ fields, spec: share(made) });
  }
  return made;
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether both hold the very same values; of lists, the very same items. */
function isSame(a: Fields, b: Fields): boolean {
  for (const key in a) if (!(key in b) || !isSameValue(a[key], b[key])) return false;
  for (const key in b) if (!(key in a)) return false;
  return true;
}

function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b || !Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function freeze(value: object): void {
  if (ArrayBuffer.isView(value)) return;
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part as object);
  Object.freeze(value);
}

/** Reads messages that hold objects. Equal specs come as one shared object, where a kind's rules allow that. */
export class ObjectReader extends BinaryReader {
  readonly #encoded: Buffer;

  constructor(encoded: Buffer) {
    super(encoded);
    this.#encoded = encoded;
  }

  /** Generated decoders ask for the spec of an object of type `typeName`; it is decoded as ever when this gives none. */
  spec<T extends object>(typeName: string, codec: { decode(reader: BinaryReader, length: number): T }): T | undefined {
    const specs = specsByType.get(typeName);
    if (specs === undefined) return undefined;
    const from = this.pos;
    const length = this.uint32();
    const end = this.pos + length;
    const isKnowable = length <= mostSpecBytes && end <= this.len;
    const key = isKnowable ? this.#encoded.toString('latin1', this.pos, end) : undefined;
    // The types of specs and messages belong together, as in generated decoders.
    const spec = key === undefined ? undefined : (specs.get(key, () => codec.decode(this, length)) as T | undefined);
    this.pos = spec === undefined ? from : end;
    return spec;
  }
}

/** So many specs of a kind are remembered, if they are not large. Decoded, one takes ten times its bytes. */
const mostSpecs = 128;
const mostSpecBytes = 8 * 1024;

/** The specs that came last. One that came once is only noted: most that come once never come again. */
class RecentSpecs {
  readonly #specs = new Map<string, object | undefined>();

  /** The shared spec that these bytes are; undefined when they come for the first time. */
  get(bytes: string, decode: () => object): object | undefined {
    const known = this.#specs.get(bytes);
    const isNoted = known !== undefined || this.#specs.has(bytes);
    const spec = known ?? (isNoted ? share(decode()) : undefined);
    // The newest stands last.
    this.#specs.delete(bytes);
    this.#specs.set(bytes, spec);
    const [oldest] = this.#specs.size > mostSpecs ? this.#specs.keys() : [];
    if (oldest !== undefined) this.#specs.delete(oldest);
    return spec;
  }
}

const specsByType = new Map(
  builtinKinds.all.filter(({ specAlone }) => specAlone).map(({ message }) => [message.$type, new RecentSpecs()]),
);
