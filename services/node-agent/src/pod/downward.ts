import { byteCount, cpuMillis, type Live, parseQuantity } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';
import { StepError } from './step-error.ts';

/** What a limit that isn't set counts as: all of the node. */
export interface Allocatable {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** A field of the Pod's metadata; undefined when `path` names none. Of many labels each is a line `key="value"`. */
export function metadataField({ metadata }: Live<Pod>, path: string): string | undefined {
  const [, of, key] = /^metadata\.(labels|annotations)(?:\['([^']+)'\])?$/.exec(path) ?? [];
  if (of === 'labels' || of === 'annotations') {
    if (key !== undefined) return metadata[of][key] ?? '';
    const lines = Object.entries(metadata[of]).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return lines.toSorted().join('\n');
  }
  if (path === 'metadata.name') return metadata.name;
  if (path === 'metadata.namespace') return metadata.namespace;
  return path === 'metadata.uid' ? metadata.uid : undefined;
}

/** An amount of a container's, counted in `divisor` and rounded up. */
export function resourceField(
  { resources }: Container,
  path: string,
  divisor: string,
  allocatable: Allocatable,
): string {
  const [set = '', name = ''] = path.split('.');
  if ((set !== 'limits' && set !== 'requests') || !['cpu', 'memory', 'ephemeral-storage'].includes(name)) {
    const message = `resourceFieldRef "${path}" is not limits or requests of cpu, memory or ephemeral-storage`;
    throw new StepError('CreateContainerConfigError', message);
  }
  const given = resources?.[set][name];
  const units = divisor === '' || divisor === '0' ? '1' : divisor;
  if (name === 'cpu') {
    const whole = given === undefined ? (set === 'limits' ? allocatable.cpuMillis : 0) : cpuMillis(given);
    return String(Math.ceil(whole / Math.max(1, cpuMillis(units))));
  }
  const whole =
    given === undefined ? (set === 'limits' && name === 'memory' ? allocatable.memoryBytes : 0) : byteCount(given);
  return String(Math.ceil(whole / Math.max(1, parseQuantity(units) === undefined ? 1 : byteCount(units))));
}
