import { ApiError } from '@navarch/machinery';

/** Where a list goes on: after this object, at this revision. */
export interface Continuation {
  readonly revision: bigint;
  readonly namespace: string;
  readonly name: string;
}

export function encodeContinue({ revision, namespace, name }: Continuation): string {
  return Buffer.from(`${revision}/${namespace}/${name}`, 'utf8').toString('base64url');
}

export function decodeContinue(token: string): Continuation {
  const match = /^(\d{1,19})\/([^/]*)\/([^/]+)$/.exec(Buffer.from(token, 'base64url').toString('utf8'));
  const [, revision, namespace, name] = match ?? [];
  if (revision === undefined || namespace === undefined || name === undefined) {
    throw new ApiError('BadRequest', 'continue is not what an earlier list gave');
  }
  return { revision: BigInt(revision), namespace, name };
}
