import { ApiError } from '@navarch/machinery';
import { configMap } from './config-map.ts';
import type { KindDefinition, ResourceCase } from './define-kind.ts';
import { deployment } from './deployment.ts';
import { endpointSlice } from './endpoint-slice.ts';
import { event } from './event.ts';
import { lease } from './lease.ts';
import { namespace } from './namespace.ts';
import { node } from './node.ts';
import { pod } from './pod.ts';
import { replicaSet } from './replica-set.ts';
import { secret } from './secret.ts';
import { service } from './service.ts';

/** Every kind there is. A new one is added here, and nowhere else. */
export const kinds: readonly KindDefinition[] = [
  pod,
  service,
  deployment,
  replicaSet,
  configMap,
  secret,
  namespace,
  node,
  endpointSlice,
  lease,
  event,
];

const byCase = new Map<string, KindDefinition>(kinds.map((kind) => [kind.case, kind]));
const byApiVersion = new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind]));
const byResource = new Map(kinds.flatMap((kind) => resourceNames(kind).map((name) => [name, kind] as const)));

export function kindByCase(name: ResourceCase): KindDefinition {
  const kind = byCase.get(name);
  if (kind === undefined) throw new ApiError('InternalError', `kind ${name} is in the contract but has no definition`);
  return kind;
}

/** By plural, singular, short name or kind, with or without the group, in any case: 'deploy', 'deployments.apps', 'Pod'. */
export function kindByResource(name: string): KindDefinition | undefined {
  return byResource.get(name.toLowerCase());
}

/** As manifests name it: ('apps/v1', 'Deployment'). */
export function kindByApiVersion(apiVersion: string, kind: string): KindDefinition | undefined {
  return byApiVersion.get(`${apiVersion} ${kind}`);
}

/** Everything that a person or a request may call a kind, in lower case. */
export function resourceNames({ plural, singular, shortNames, group, version }: KindDefinition): readonly string[] {
  const names = [plural, singular, ...shortNames];
  const grouped = names.flatMap((name) => [`${name}.${group}`, `${name}.${version}.${group}`]);
  return group === '' ? names : [...names, ...grouped];
}
