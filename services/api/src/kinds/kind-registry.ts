import { builtinKinds, customKinds, type KindDefinition, type Kinds, KindSet } from '@navarch/kinds';
import type { CustomResourceDefinition, Resource } from '@navarch/proto';

/**
 * The kinds of this cluster: those that are built in, and those of the definitions that the watch cache has seen. Whoever
 * fills the cache tells of each definition before it tells of anything after it, so that the kinds are those of the revision
 * that the cache shows, at every replica.
 */
export class KindRegistry implements Kinds {
  readonly #definitions = new Map<string, CustomResourceDefinition>();
  #kinds: KindSet = new KindSet(builtinKinds.all);
  #byPlace: ReadonlyMap<string, KindDefinition> = placesOf(builtinKinds.all);

  get all(): readonly KindDefinition[] {
    return this.#kinds.all;
  }

  byResource(name: string): KindDefinition | undefined {
    return this.#kinds.byResource(name);
  }

  byApiVersion(apiVersion: string, kind: string): KindDefinition | undefined {
    return this.#kinds.byApiVersion(apiVersion, kind);
  }

  of(object: NonNullable<Resource['object']>): KindDefinition {
    return this.#kinds.of(object);
  }

  /** The kind whose objects are kept at a place, as they are kept. */
  atPlace(place: string): KindDefinition | undefined {
    return this.#byPlace.get(place);
  }

  /** A definition as it is now; undefined when it is gone. */
  set(name: string, definition: CustomResourceDefinition | undefined): void {
    if (definition === undefined) this.#definitions.delete(name);
    else this.#definitions.set(name, definition);
    this.#derive();
  }

  /** All definitions, in place of those that were known. */
  reset(definitions: ReadonlyMap<string, CustomResourceDefinition>): void {
    this.#definitions.clear();
    for (const [name, definition] of definitions) this.#definitions.set(name, definition);
    this.#derive();
  }

  #derive(): void {
    // Where two made at once want one name, the older one has it, at every replica.
    const age = ({ metadata }: CustomResourceDefinition) => `${metadata?.creationTimestamp} ${metadata?.uid}`;
    const definitions = [...this.#definitions.values()].toSorted((a, b) => (age(a) < age(b) ? -1 : 1));
    const versions = definitions.flatMap((definition) => customKinds(definition));
    this.#kinds = new KindSet([
      ...builtinKinds.all,
      ...versions.filter(({ served }) => served).map(({ kind }) => kind),
    ]);
    this.#byPlace = placesOf([
      ...builtinKinds.all,
      ...versions.map(({ kind }) => kind).filter(({ custom }) => custom?.stored),
    ]);
  }
}

function placesOf(kinds: readonly KindDefinition[]): ReadonlyMap<string, KindDefinition> {
  return new Map(kinds.filter(({ storage }) => storage === 'store').map((kind) => [kind.place, kind]));
}
