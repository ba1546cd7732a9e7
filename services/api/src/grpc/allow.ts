import type { Kinds } from '@navarch/kinds';
import type { Fence } from '@navarch/proto';
import { authenticate, authorize, type Subresource, type Verb } from '../pipeline/access.ts';
import type { WriteOptions } from '../pipeline/pipeline.ts';
import type { Write } from '../pipeline/write.ts';
import { kindNamed } from '../read/resource-name.ts';

/** Throws Forbidden when the caller may not do that with what a request names. */
export function allowRead(
  kinds: Kinds,
  verb: Verb,
  { resource, namespace, name }: { resource: string; namespace: string; name: string },
  subresource?: Subresource,
): void {
  authorize(authenticate(), {
    verb,
    kind: kindNamed(kinds, resource),
    namespace,
    name,
    ...(subresource && { subresource }),
  });
}

/** The write, when the caller may do it; throws Forbidden otherwise. */
export function allow(verb: Verb, write: Write, subresource?: Subresource): Write {
  const { kind, namespace, name } = write;
  authorize(authenticate(), { verb, kind, namespace, name, ...(subresource && { subresource }) });
  return write;
}

/** What a request says of all that it asks for. */
export function signalled(
  request: { fence?: Fence | undefined; dryRun?: boolean },
  signal: AbortSignal,
  program: string,
): WriteOptions {
  return { fence: request.fence, dryRun: request.dryRun ?? false, program, signal };
}
