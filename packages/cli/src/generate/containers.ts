import type { JsonObject } from '@navarch/machinery';
import { UserError } from '../session.ts';

/** registry.example.com/team/app:1.2 is app. */
export function imageName(image: string): string {
  return (image.split('/').at(-1) ?? image)
    .replace(/[:@].*$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-');
}

/** A container for each image, named after it; those of one name are numbered. */
export function containersOf(images: readonly string[], more: JsonObject = {}): JsonObject[] {
  const seen = new Map<string, number>();
  return images.map((image) => {
    if (image === '') throw new UserError('--image must not be empty');
    const name = imageName(image);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count === 1 ? name : `${name}-${count}`, image, ...more };
  });
}
