import { createHash } from 'node:crypto';
import type { Container } from '@navarch/proto';

/** The annotation on a container that tells which spec it was made from. */
export const specHashAnnotation = 'navarch.io/spec-hash';

/**
 * Changes when a running container must be replaced. The image is the one field of a container that may change while its
 * Pod lives; hashing more would restart every container when a newer agent or api knows more fields.
 */
export function specHash(container: Container): string {
  return createHash('sha256').update(`${container.name}\n${container.image}`).digest('hex').slice(0, 16);
}
