import type { FieldError } from '@navarch/machinery';
import type { DownwardAPIVolumeFile, KeyToPath, PodSpec, Volume, VolumeProjection } from '@navarch/proto';
import { validateFieldRef, validateResourceFieldRef } from './field-rules.ts';
import { duplicates, exactlyOne, relativePath } from './rules.ts';

export function validateVolume(volume: Volume, path: string, spec: PodSpec): FieldError[] {
  const { emptyDir, hostPath, configMap, secret, persistentVolumeClaim, projected, downwardApi } = volume;
  const sources = { emptyDir, hostPath, configMap, secret, persistentVolumeClaim, projected, downwardAPI: downwardApi };
  return [
    ...exactlyOne(path, sources),
    ...validateItems(configMap?.items, `${path}.configMap`),
    ...validateItems(secret?.items, `${path}.secret`),
    ...validateFiles(downwardApi?.items, `${path}.downwardAPI`, spec),
    ...validateProjections(projected?.sources ?? [], `${path}.projected`, spec),
  ];
}

function validateProjections(sources: readonly VolumeProjection[], path: string, spec: PodSpec): FieldError[] {
  const at = (index: number) => `${path}.sources[${index}]`;
  const paths = sources.flatMap(({ configMap, secret, downwardApi }, index) =>
    [configMap, secret, downwardApi].flatMap((source) =>
      (source?.items ?? []).map((item: { path: string }) => ({ index, path: item.path })),
    ),
  );
  return [
    ...sources.flatMap(({ configMap, secret, downwardApi }, index) => [
      ...exactlyOne(at(index), { configMap, secret, downwardAPI: downwardApi }),
      ...validateItems(configMap?.items, `${at(index)}.configMap`),
      ...validateItems(secret?.items, `${at(index)}.secret`),
      ...validateFiles(downwardApi?.items, `${at(index)}.downwardAPI`, spec),
    ]),
    ...duplicates(
      paths,
      (item) => item.path,
      (index) => at(paths[index]?.index ?? 0),
    ),
  ];
}

function validateItems(items: readonly KeyToPath[] = [], path: string): FieldError[] {
  return items.flatMap((item, index) => relativePath(`${path}.items[${index}].path`, item.path));
}

function validateFiles(items: readonly DownwardAPIVolumeFile[] = [], path: string, spec: PodSpec): FieldError[] {
  return items.flatMap(({ path: file, fieldRef, resourceFieldRef }, index) => {
    const at = `${path}.items[${index}]`;
    return [
      ...relativePath(`${at}.path`, file),
      ...exactlyOne(at, { fieldRef, resourceFieldRef }),
      ...validateFieldRef(fieldRef, `${at}.fieldRef`, 'file'),
      ...validateResourceFieldRef(resourceFieldRef, `${at}.resourceFieldRef`),
      ...(resourceFieldRef === undefined ? [] : validateContainerName(resourceFieldRef.containerName, at, spec)),
    ];
  });
}

/** No container asks for the file, so that one has to be named. */
function validateContainerName(name: string, at: string, { containers, initContainers }: PodSpec): FieldError[] {
  const names = [...initContainers, ...containers].map((container) => container.name);
  if (names.includes(name)) return [];
  const message = `must name a container of the Pod: ${names.join(', ')}`;
  return [{ path: `${at}.resourceFieldRef.containerName`, message }];
}
