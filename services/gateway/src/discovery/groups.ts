import type { KindDefinition } from '@navarch/kinds';
import type { Served } from '../routes/resource-router.ts';

/** One resource, or one part of one, as discovery tells of it. */
export interface DiscoveredResource {
  /** pods, or pods/status. */
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  /** What travels there. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export interface DiscoveredVersion {
  readonly version: string;
  readonly resources: readonly DiscoveredResource[];
}

/** An API group, its preferred version first. '' is the core group. */
export interface DiscoveredGroup {
  readonly name: string;
  readonly versions: readonly DiscoveredVersion[];
}

const kindVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;

/** Everything there is, by group and version: the core group first, the others in the order of their names. */
export function discoveredGroups(kinds: readonly KindDefinition[], served: Served): readonly DiscoveredGroup[] {
  const groups = new Map<string, Map<string, DiscoveredResource[]>>([['', new Map()]]);
  const add = (group: string, version: string, resources: readonly DiscoveredResource[]) => {
    const versions = groups.get(group) ?? new Map<string, DiscoveredResource[]>();
    groups.set(group, versions);
    const known = versions.get(version) ?? [];
    versions.set(version, known);
    known.push(...resources);
  };
  for (const kind of kinds) add(kind.group, kind.version, ofKind(kind, served));
  for (const { group, version, plural, singular, kind, scope, shortNames = [], verbs } of served.virtual) {
    const common = { singularName: singular, namespaced: scope === 'Namespaced', shortNames, categories: [] };
    const typed = { group, version, kind };
    add(group, version, [{ ...common, name: plural, kind: typed, verbs: Object.keys(verbs).toSorted() }]);
  }
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, versions]) => ({
      name,
      versions: [...versions].map(([version, resources]) => ({
        version,
        resources: resources.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      })),
    }));
}

function ofKind(definition: KindDefinition, { subresources }: Served): readonly DiscoveredResource[] {
  const { group, version, kind, plural, singular, shortNames, categories, scope } = definition;
  const common = { namespaced: scope === 'Namespaced' };
  const typed = { group, version, kind };
  const parts = subresources
    .filter((part) => part.has(definition))
    .map((part): DiscoveredResource => {
      const verbs = [...new Set([...Object.keys(part.verbs), ...(part.upgradeVerbs ?? [])])].toSorted();
      return {
        ...common,
        name: `${plural}/${part.name}`,
        singularName: '',
        kind: part.kind ?? typed,
        verbs,
        shortNames: [],
        categories: [],
      };
    });
  return [
    { ...common, name: plural, singularName: singular, kind: typed, verbs: kindVerbs, shortNames, categories },
    ...parts,
  ];
}
