import type { CustomResourceDefinition, Resource } from '@navarch/proto';
import type { KindDefinition } from '../define-kind.ts';
import { type Kinds, KindSet } from '../kind-set.ts';
import { builtinKinds } from '../registry.ts';
import { isEstablished } from './accept.ts';
import { customKinds } from './kinds.ts';

/**
 * The kinds of this cluster: those that are built in, and those of the definitions that it was told of. Whoever
 * tells it in the order of revisions has the kinds of the revision that it told of last, as everybody else who does.
 */
export class KindRegistry implements Kinds {
  readonly #definitions = new Map<string, Known>();
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
    else this.#definitions.set(name, knownFrom(definition, this.#definitions.get(name)));
    this.#derive();
  }

  /** All definitions, in place of those that were known. */
  reset(definitions: ReadonlyMap<string, CustomResourceDefinition>): void {
    this.#definitions.clear();
    for (const [name, definition] of definitions) this.#definitions.set(name, knownFrom(definition));
    this.#derive();
  }

  #derive(): void {
    // Where two made at once want one name, the older one has it, at every replica.
    const versions = [...this.#definitions.values()]
      .toSorted((a, b) => (a.age < b.age ? -1 : 1))
      .flatMap(({ kinds }) => kinds);
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

/** A definition's kinds, made once: schemas are compiled for them. */
interface Known {
  readonly age: string;
  /** What they follow from: they stay what they are while that does. */
  readonly source: string;
  readonly kinds: ReturnType<typeof customKinds>;
}

function knownFrom(definition: CustomResourceDefinition, before?: Known): Known {
  const { creationTimestamp = '', uid = '', generation = 0 } = definition.metadata ?? {};
  const accepted = JSON.stringify([isEstablished(definition), definition.status?.acceptedNames]);
  const source = `${uid} ${generation} ${accepted}`;
  if (before?.source === source) return before;
  return { age: `${creationTimestamp} ${uid}`, source, kinds: customKinds(definition) };
}

function placesOf(kinds: readonly KindDefinition[]): ReadonlyMap<string, KindDefinition> {
  return new Map(kinds.filter(({ storage }) => storage === 'store').map((kind) => [kind.place, kind]));
}
