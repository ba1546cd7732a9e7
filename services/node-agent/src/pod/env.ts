import type { Live } from '@navarch/machinery';
import type { Container, EnvVar, Pod } from '@navarch/proto';
import type { ConfigData } from './config-source.ts';
import { type Allocatable, metadataField, resourceField } from './downward.ts';
import { allContainers } from './model.ts';
import { StepError } from './step-error.ts';

/** What the values may be taken from. Objects that don't exist are absent. */
export interface EnvSources {
  readonly configMaps: ReadonlyMap<string, ConfigData>;
  readonly secrets: ReadonlyMap<string, ConfigData>;
  readonly podIp: string;
  readonly hostIp: string;
  readonly nodeName: string;
  /** What a limit that isn't set counts as. */
  readonly allocatable: Allocatable;
}

export interface EnvEntry {
  readonly name: string;
  readonly value: string;
}

/** The container's environment: envFrom in order, then env, which goes before; `$(NAME)` stands for an earlier one. */
export function environment(pod: Live<Pod>, container: Container, sources: EnvSources): EnvEntry[] {
  const values = new Map<string, string>();
  for (const { prefix, configMapRef, secretRef } of container.envFrom) {
    const reference = configMapRef ?? secretRef;
    if (!reference) continue;
    const data = (configMapRef ? sources.configMaps : sources.secrets).get(reference.name);
    if (!data) {
      if (reference.optional) continue;
      throw missing(`${configMapRef ? 'ConfigMap' : 'Secret'} "${reference.name}" of envFrom not found`);
    }
    for (const [key, value] of data) values.set(prefix + key, text(value));
  }
  for (const variable of container.env) {
    const value = variable.valueFrom ? fromSource(pod, container, variable, sources) : expand(variable.value, values);
    if (value !== undefined) values.set(variable.name, value);
  }
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Replaces `$(NAME)` for the names that are known; `$$(NAME)` stands for the text `$(NAME)`. */
export function expand(template: string, values: ReadonlyMap<string, string>): string {
  return template.replace(/\$\$|\$\(([^()$]+)\)/g, (found, name: string | undefined) => {
    if (name === undefined) return '$';
    return values.get(name) ?? found;
  });
}

function fromSource(pod: Live<Pod>, container: Container, variable: EnvVar, sources: EnvSources): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  if (fieldRef) return field(pod, fieldRef.fieldPath, sources);
  if (resourceFieldRef) {
    const { containerName, resource, divisor } = resourceFieldRef;
    const named = containerName === '' ? container : allContainers(pod).find(({ name }) => name === containerName);
    if (!named) throw missing(`container "${containerName}" of resourceFieldRef not found`);
    return resourceField(named, resource, divisor, sources.allocatable);
  }
  const reference = configMapKeyRef ?? secretKeyRef;
  if (!reference) return '';
  const what = configMapKeyRef ? 'ConfigMap' : 'Secret';
  const data = (configMapKeyRef ? sources.configMaps : sources.secrets).get(reference.name);
  const value = data?.get(reference.key);
  if (value !== undefined) return text(value);
  if (reference.optional) return undefined;
  throw missing(
    data ? `key "${reference.key}" not found in ${what} "${reference.name}"` : `${what} "${reference.name}" not found`,
  );
}

function field(pod: Live<Pod>, path: string, sources: EnvSources): string {
  const ofMetadata = metadataField(pod, path);
  if (ofMetadata !== undefined) return ofMetadata;
  switch (path) {
    case 'spec.nodeName':
      return sources.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName;
    case 'status.hostIP':
    case 'status.hostIPs':
      return sources.hostIp;
    case 'status.podIP':
    case 'status.podIPs':
      return sources.podIp;
    default:
      throw missing(`fieldRef "${path}" is not one of the fields that a container may know`);
  }
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString('utf8');
}

function missing(message: string): StepError {
  return new StepError('CreateContainerConfigError', message);
}
