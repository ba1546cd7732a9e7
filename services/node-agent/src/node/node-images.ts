import { ContainerImage } from '@navarch/proto';
import type { ImageInfo } from '../runtime/runtime.ts';

/** No more than these are told: the scheduler asks for large ones, and a Node is written for every change. Source: the kubelet. */
const most = { images: 50, namesEach: 5 };

/** The node's largest images, the largest first. The same for the same images, in whatever order the runtime tells them. */
export function nodeImages(images: readonly ImageInfo[]): ContainerImage[] {
  const named = images.flatMap(({ tags, digests, sizeBytes }) => {
    const names = [...tags.toSorted(), ...digests.toSorted()].slice(0, most.namesEach);
    return names.length === 0 ? [] : [{ names, sizeBytes }];
  });
  return named
    .sort((a, b) => b.sizeBytes - a.sizeBytes || ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1))
    .slice(0, most.images)
    .map(({ names, sizeBytes }) => ContainerImage.fromPartial({ names, sizeBytes: BigInt(sizeBytes) }));
}
