import { lease as leaseKind } from '@navarch/kinds';
import { ApiError, humanSize } from '@navarch/machinery';
import { describe } from '../../read/resource-name.ts';
import { fullness, type StoragePressure } from '../../storage/pressure.ts';
import { encodeContent } from '../object-rules.ts';
import type { Link, Step } from './link.ts';

/** What an object may still grow by beside its metadata and status: a Pod its node, a Deployment another replica. */
const slackBytes = 1024;

/** While the store is full nothing new is made and nothing grows, so that what makes room can always be written. */
export const storage: Link = {
  admit: (step) => {
    const { pressure } = step.circumstances;
    if (pressure?.level === 'full') refuseGrowth(step, pressure);
    return undefined;
  },
};

function refuseGrowth({ kind, next, previous }: Step, pressure: StoragePressure): void {
  // Leaders need their leases also to clear up; other stores have limits of their own.
  if (kind.case === leaseKind.case || kind.storage !== 'store') return;
  const { namespace, name } = next.metadata;
  const what = describe(kind, namespace, name);
  if (previous === undefined) throw full(`${what} is not created`, pressure);
  const grownBytes = encodeContent(kind, next).length - encodeContent(kind, previous.object).length;
  if (grownBytes > slackBytes) throw full(`${what} can not grow by ${humanSize(grownBytes)}`, pressure);
}

function full(refusal: string, pressure: StoragePressure): ApiError {
  const { alarms, limits } = pressure;
  const limit = alarms.includes('NOSPACE')
    ? 'etcd has raised its space alarm'
    : `the limit for new objects is ${Math.round(100 * limits.watermark)} %`;
  return new ApiError(
    'InsufficientStorage',
    `${refusal}: ${fullness(pressure)}, and ${limit}. Delete objects that are not needed (this works), or give etcd a larger quota; navctl storage tells more`,
  );
}
