import { byteCount, cpuMillis, type Live, parseQuantity } from '@navarch/machinery';
import type { Container, EnvVar, Pod } from '@navarch/proto';
import type { ConfigData } from './config-source.ts';
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
  readonly allocatable: { readonly cpuMillis: number; readonly memoryBytes: number };
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
    return resourceField(named, resource, divisor, sources);
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
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1] === 'labels' ? 'labels' : 'annotations'][keyed[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'spec.nodeName':
      return sources.nodeName;
    case 'status.hostIP':
      return sources.hostIp;
    case 'status.podIP':
    case 'status.podIPs':
      return sources.podIp;
    default:
      throw missing(`fieldRef "${path}" is not one of the fields that a container may know`);
  }
}

function resourceField({ resources }: Container, path: string, divisor: string, sources: EnvSources): string {
  const [set = '', name = ''] = path.split('.');
  if ((set !== 'limits' && set !== 'requests') || !['cpu', 'memory', 'ephemeral-storage'].includes(name)) {
    throw missing(`resourceFieldRef "${path}" is not limits or requests of cpu, memory or ephemeral-storage`);
  }
  const given = resources?.[set][name];
  const units = divisor === '' || divisor === '0' ? '1' : divisor;
  if (name === 'cpu') {
    const whole = given === undefined ? (set === 'limits' ? sources.allocatable.cpuMillis : 0) : cpuMillis(given);
    return String(Math.ceil(whole / Math.max(1, cpuMillis(units))));
  }
  const whole =
    given === undefined
      ? set === 'limits' && name === 'memory'
        ? sources.allocatable.memoryBytes
        : 0
      : byteCount(given);
  return String(Math.ceil(whole / Math.max(1, parseQuantity(units) === undefined ? 1 : byteCount(units))));
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString('utf8');
}

function missing(message: string): StepError {
  return new StepError('CreateContainerConfigError', message);
}
