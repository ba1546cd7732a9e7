import type { FieldError } from '@navarch/machinery';
import type { ObjectFieldSelector, ResourceFieldSelector } from '@navarch/proto';

const keyed = /^metadata\.(labels|annotations)\['[^']+'\]$/;

/** What a program may be told of its Pod; a file can follow changes, and hold many lines. */
const fields = {
  variable: {
    path: /^(metadata\.(name|namespace|uid)|spec\.(nodeName|serviceAccountName)|status\.(hostIP|podIP|podIPs|hostIPs))$/,
    known: "metadata.name, metadata.labels['key'], spec.nodeName, status.podIP and the like",
  },
  file: {
    path: /^metadata\.(name|namespace|uid|labels|annotations)$/,
    known:
      "metadata.name, metadata.namespace, metadata.uid, metadata.labels, metadata.annotations, metadata.labels['key']",
  },
};
const containerResource = /^(limits|requests)\.(cpu|memory|ephemeral-storage)$/;

export function validateFieldRef(
  selector: ObjectFieldSelector | undefined,
  path: string,
  as: 'variable' | 'file',
): FieldError[] {
  if (selector === undefined || keyed.test(selector.fieldPath) || fields[as].path.test(selector.fieldPath)) return [];
  const message = `"${selector.fieldPath}" is not among ${fields[as].known}`;
  return [{ path: `${path}.fieldPath`, message }];
}

export function validateResourceFieldRef(selector: ResourceFieldSelector | undefined, path: string): FieldError[] {
  if (selector === undefined || containerResource.test(selector.resource)) return [];
  const known = 'limits or requests, a dot, and cpu, memory or ephemeral-storage';
  return [{ path: `${path}.resource`, message: `"${selector.resource}" must be ${known}` }];
}
