import { normalize } from 'node:path';
import type { Live } from '@navarch/machinery';
import type { ConfigProjection, DownwardAPIVolumeFile, Pod, Volume, VolumeProjection } from '@navarch/proto';
import type { FileContent } from './atomic-files.ts';
import type { ConfigData, ConfigSource } from './config-source.ts';
import { type Allocatable, metadataField, resourceField } from './downward.ts';
import { allContainers } from './model.ts';
import { StepError } from './step-error.ts';

const usualMode = 0o644;

export interface FileSources {
  readonly config: ConfigSource;
  readonly allocatable: Allocatable;
}

/** Whether the volume consists of files that the agent writes: programs only read them, and they can change. */
export function isOfFiles({ configMap, secret, projected, downwardApi }: Volume): boolean {
  return (configMap ?? secret ?? projected ?? downwardApi) !== undefined;
}

export function holdsSecrets({ secret, projected }: Volume): boolean {
  return secret !== undefined || projected?.sources.some((source) => source.secret !== undefined) === true;
}

/** The files of such a volume as they are now. Throws StepError when something that it needs isn't there. */
export async function volumeFiles(pod: Live<Pod>, volume: Volume, sources: FileSources): Promise<FileContent[]> {
  const { configMap, secret, downwardApi, projected } = volume;
  if (projected === undefined) {
    const ofSecret = secret && { ...secret, name: secret.secretName };
    const { defaultMode } = configMap ?? secret ?? downwardApi ?? {};
    return partFiles(pod, volume.name, { configMap, secret: ofSecret, downwardApi }, defaultMode, sources);
  }
  // The later of two with one path.
  const files = new Map<string, FileContent>();
  for (const part of projected.sources) {
    const some = await partFiles(pod, volume.name, part, projected.defaultMode, sources);
    for (const file of some) files.set(file.path, file);
  }
  return [...files.values()];
}

/** A file's path, when it stays in its volume. */
export function inside(path: string): string {
  const clean = normalize(path);
  if (clean.startsWith('/') || clean.split('/').includes('..')) throw fault(`path "${path}" leads out of its volume`);
  return clean;
}

async function partFiles(
  pod: Live<Pod>,
  volume: string,
  { configMap, secret, downwardApi }: VolumeProjection,
  defaultMode = usualMode,
  { config, allocatable }: FileSources,
): Promise<FileContent[]> {
  const { namespace } = pod.metadata;
  if (configMap !== undefined) {
    const data = await config.configMap(namespace, configMap.name);
    return keyFiles(configMap, data, { what: `ConfigMap "${configMap.name}"`, volume, defaultMode });
  }
  if (secret !== undefined) {
    const data = await config.secret(namespace, secret.name);
    return keyFiles(secret, data, { what: `Secret "${secret.name}"`, volume, defaultMode });
  }
  return (downwardApi?.items ?? []).map((item) => fieldFile(pod, item, defaultMode, allocatable));
}

function keyFiles(
  { items, optional }: ConfigProjection,
  data: ConfigData | undefined,
  { what, volume, defaultMode }: { what: string; volume: string; defaultMode: number },
): FileContent[] {
  if (data === undefined && optional) return [];
  if (data === undefined) throw fault(`${what} of volume "${volume}" not found`);
  const chosen = items.length > 0 ? items : [...data.keys()].map((key) => ({ key, path: key, mode: undefined }));
  return chosen.flatMap(({ key, path, mode }) => {
    const value = data.get(key);
    if (value === undefined && optional) return [];
    if (value === undefined) throw fault(`key "${key}" of volume "${volume}" not found`);
    return [{ path: inside(path), data: value, mode: mode ?? defaultMode }];
  });
}

function fieldFile(
  pod: Live<Pod>,
  { path, fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile,
  defaultMode: number,
  allocatable: Allocatable,
): FileContent {
  const value = resourceFieldRef
    ? containerField(pod, resourceFieldRef, allocatable)
    : metadataField(pod, fieldRef?.fieldPath ?? '');
  if (value === undefined)
    throw fault(`fieldRef "${fieldRef?.fieldPath}" is not one of the fields that a file may hold`);
  return { path: inside(path), data: Buffer.from(value), mode: mode ?? defaultMode };
}

function containerField(
  pod: Live<Pod>,
  { containerName, resource, divisor }: NonNullable<DownwardAPIVolumeFile['resourceFieldRef']>,
  allocatable: Allocatable,
): string {
  const container = allContainers(pod).find(({ name }) => name === containerName);
  if (!container) throw fault(`container "${containerName}" of resourceFieldRef not found`);
  return resourceField(container, resource, divisor, allocatable);
}

function fault(message: string): StepError {
  return new StepError('CreateContainerConfigError', message);
}
