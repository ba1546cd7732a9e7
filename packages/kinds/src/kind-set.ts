import { ApiError } from '@navarch/machinery';
import type { Resource } from '@navarch/proto';
import type { KindDefinition, ResourceCase } from './define-kind.ts';

/** The kinds that somebody knows. Which these are can change between two questions, for kinds can be made and removed. */
export interface Kinds {
  readonly all: readonly KindDefinition[];
  /** By plural, singular, short name or kind, with or without the group, in any case: 'deploy', 'deployments.apps', 'Pod'. */
  byResource(name: string): KindDefinition | undefined;
  /** As manifests name it: ('apps/v1', 'Deployment'). */
  byApiVersion(apiVersion: string, kind: string): KindDefinition | undefined;
  /** The kind of an object that travels. Throws UnknownKind. */
  of(object: NonNullable<Resource['object']>): KindDefinition;
}

/** Kinds that stay as they are. Where two have a name in common, it is the first one's. */
export class KindSet implements Kinds {
  readonly all: readonly KindDefinition[];
  readonly #byCase: ReadonlyMap<ResourceCase, KindDefinition>;
  readonly #byApiVersion: ReadonlyMap<string, KindDefinition>;
  readonly #byResource: ReadonlyMap<string, KindDefinition>;

  constructor(kinds: readonly KindDefinition[]) {
    this.all = kinds;
    this.#byCase = firstOfEach(kinds, (kind) => [kind.case]);
    this.#byApiVersion = firstOfEach(kinds, (kind) => [`${kind.apiVersion} ${kind.kind}`]);
    this.#byResource = firstOfEach(kinds, resourceNames);
  }

  byResource(name: string): KindDefinition | undefined {
    return this.#byResource.get(name.toLowerCase());
  }

  byApiVersion(apiVersion: string, kind: string): KindDefinition | undefined {
    return this.#byApiVersion.get(`${apiVersion} ${kind}`);
  }

  of(object: NonNullable<Resource['object']>): KindDefinition {
    if (object.$case === 'custom' || object.$case === 'partial') {
      const { apiVersion, kind: name } = object.value;
      const kind = this.byApiVersion(apiVersion, name);
      if (kind !== undefined && (object.$case === 'partial' || kind.case === 'custom')) return kind;
      throw new UnknownKind('NotFound', `there is no kind "${name}" of ${apiVersion || 'no apiVersion'}`);
    }
    const kind = this.#byCase.get(object.$case);
    if (kind !== undefined) return kind;
    throw new UnknownKind('InternalError', `kind ${object.$case} is in the contract but has no definition`);
  }
}

/** Something names a kind that is not known: it may not exist, or may be known in a moment. */
export class UnknownKind extends ApiError {}

/** Everything that a person or a request may call a kind, in lower case. */
export function resourceNames({
  plural,
  singular,
  shortNames,
  kind,
  group,
  version,
}: KindDefinition): readonly string[] {
  const names = [...new Set([plural, singular, ...shortNames, kind.toLowerCase()])];
  const grouped = names.flatMap((name) => [`${name}.${group}`, `${name}.${version}.${group}`]);
  return group === '' ? names : [...names, ...grouped];
}

/** What `resource` is for the preferred version: one name for all versions of a kind. */
export function collectionOf({ plural, group }: Pick<KindDefinition, 'plural' | 'group'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function firstOfEach<K>(
  kinds: readonly KindDefinition[],
  keys: (kind: KindDefinition) => readonly K[],
): Map<K, KindDefinition> {
  const map = new Map<K, KindDefinition>();
  for (const kind of kinds) for (const key of keys(kind)) if (!map.has(key)) map.set(key, kind);
  return map;
}
