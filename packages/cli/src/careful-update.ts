import type { WriteOptions } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import { isApiError, type KubeObject, type Live } from '@navarch/machinery';
import { differs } from './content.ts';
import { objectName } from './resource-args.ts';
import { type Session, UserError } from './session.ts';

/** Against controllers that write status meanwhile. */
const attempts = 10;

/**
 * Replaces an object that looked like `seen` by what `wanted` makes of it as it is now. That a controller writes its status
 * meanwhile does not matter; what somebody else wrote is never overwritten unseen: then it throws UserError.
 */
export async function carefulUpdate(
  session: Session,
  kind: KindDefinition,
  seen: KubeObject,
  wanted: (latest: KubeObject) => KubeObject,
  options: WriteOptions,
): Promise<Live<KubeObject>> {
  const { namespace = '', name = '' } = seen.metadata ?? {};
  for (let latest = seen, attempt = 1; ; attempt++) {
    try {
      return await session.client().update(kind, wanted(latest), options);
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt === attempts) throw error;
      latest = await session.client().get(kind, { namespace, name });
      if (!differs(kind, seen, latest)) continue;
      throw new UserError(
        `${objectName(kind, name)} was changed in this moment by somebody else: look at it, and try again`,
      );
    }
  }
}
