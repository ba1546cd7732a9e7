import { ApiError } from '@navarch/machinery';
import type { PatchRequest } from '@navarch/proto';
import type { Write } from './write.ts';

export function patchWrite(_request: PatchRequest): Write {
  throw new ApiError('Unimplemented', 'patch comes soon');
}
