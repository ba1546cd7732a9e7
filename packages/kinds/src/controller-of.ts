import type { ObjectMeta, OwnerReference } from '@navarch/proto';

/** The one owner that manages the object. */
export function controllerOf({
  metadata,
}: {
  readonly metadata: Pick<ObjectMeta, 'ownerReferences'>;
}): OwnerReference | undefined {
  return metadata.ownerReferences.find(({ controller }) => controller === true);
}
