import type { DiscoveredGroup, DiscoveredResource, DiscoveredVersion } from './groups.ts';

/** The documents of discovery. Source of their forms: meta/v1 APIVersions, APIGroupList, APIResourceList; apidiscovery.k8s.io/v2. */

const apiVersionOf = (group: string, version: string) => (group === '' ? version : `${group}/${version}`);

export function apiVersions(core: readonly DiscoveredGroup[]): object {
  const versions = core.flatMap((group) => group.versions.map(({ version }) => version));
  return { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [] };
}

export function groupList(groups: readonly DiscoveredGroup[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(bareGroup) };
}

export function groupOf(group: DiscoveredGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...bareGroup(group) };
}

function bareGroup({ name, versions }: DiscoveredGroup) {
  const all = versions.map(({ version }) => ({ groupVersion: apiVersionOf(name, version), version }));
  return { name, versions: all, preferredVersion: all[0] };
}

export function resourceList(group: string, { version, resources }: DiscoveredVersion): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: resources.map(({ name, singularName, namespaced, kind, verbs, shortNames, categories }) => ({
      name,
      singularName,
      namespaced,
      // Of the group and version of the list, unless said otherwise.
      ...(apiVersionOf(kind.group, kind.version) !== apiVersionOf(group, version) && {
        group: kind.group,
        version: kind.version,
      }),
      kind: kind.kind,
      verbs,
      ...(shortNames.length > 0 && { shortNames }),
      ...(categories.length > 0 && { categories }),
    })),
  };
}

export function aggregated(groups: readonly DiscoveredGroup[], documentVersion: string): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${documentVersion}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? { creationTimestamp: null } : { name, creationTimestamp: null },
      versions: versions.map(({ version, resources }) => ({
        version,
        resources: resources.filter((each) => !each.name.includes('/')).map((each) => whole(each, resources)),
        freshness: 'Current',
      })),
    })),
  };
}

function whole(resource: DiscoveredResource, all: readonly DiscoveredResource[]) {
  const { name, singularName, namespaced, kind, verbs, shortNames, categories } = resource;
  const parts = all.filter((part) => part.name.startsWith(`${name}/`));
  return {
    resource: name,
    responseKind: kind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singularName,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(parts.length > 0 && {
      subresources: parts.map((part) => ({
        subresource: part.name.slice(name.length + 1),
        responseKind: part.kind,
        verbs: part.verbs,
      })),
    }),
  };
}
