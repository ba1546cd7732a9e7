import { DeleteRequest_Propagation } from '@navarch/proto';
import { readOptionalBody } from '../http/body.ts';
import type { Exchange } from '../http/exchange.ts';
import { badRequest } from '../http/status.ts';
import { isObject } from './manifest-body.ts';
import { count, decimal, dryRunOf, shown } from './query.ts';

/** How to delete: metav1.DeleteOptions, as the api has it. */
export interface DeleteWish {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: DeleteRequest_Propagation;
  readonly uid: string;
  readonly revision: bigint;
  readonly dryRun: boolean;
}

/** What the body says, or where there is none the query. */
export async function deleteOptions({ request, query }: Pick<Exchange, 'request' | 'query'>): Promise<DeleteWish> {
  const body = await readOptionalBody(request, { apiVersion: 'v1', kind: 'DeleteOptions' });
  if (body === undefined) return fromQuery(query);
  const options = body.json;
  if (!isObject(options)) throw badRequest('the body of a deletion must be a DeleteOptions object');
  const { kind } = options;
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') {
    throw badRequest(`the body of a deletion must be a DeleteOptions object, not a ${shown(JSON.stringify(kind))}`);
  }
  return deleteWish(options);
}

function fromQuery(query: URLSearchParams): DeleteWish {
  return deleteWish({
    gracePeriodSeconds: count(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    orphanDependents: query.has('orphanDependents') ? query.get('orphanDependents') === 'true' : undefined,
    dryRun: query.getAll('dryRun'),
  });
}

/** Throws BadRequest for what no DeleteOptions can say. */
export function deleteWish(options: Readonly<Record<string, unknown>>): DeleteWish {
  const { gracePeriodSeconds: grace, propagationPolicy, orphanDependents, preconditions, dryRun = [] } = options;
  if (grace !== undefined && grace !== null && !(Number.isSafeInteger(grace) && (grace as number) <= 2 ** 31 - 1)) {
    throw badRequest('gracePeriodSeconds must be a whole number');
  }
  if (!Array.isArray(dryRun ?? [])) throw badRequest('dryRun must be a list');
  const { uid, resourceVersion } = isObject(preconditions) ? preconditions : {};
  // Less than nothing means at once, as it always did.
  const seconds = typeof grace === 'number' ? Math.max(grace, grace < 0 ? 1 : 0) : undefined;
  return {
    gracePeriodSeconds: seconds,
    propagation: propagationOf(propagationPolicy, orphanDependents),
    uid: text('preconditions.uid', uid),
    revision:
      text('preconditions.resourceVersion', resourceVersion) === ''
        ? 0n
        : decimal('preconditions.resourceVersion', String(resourceVersion)),
    dryRun: dryRunOf(((dryRun as readonly unknown[] | null) ?? []).map(String)),
  };
}

function propagationOf(policy: unknown, orphanDependents: unknown): DeleteRequest_Propagation {
  if (
    policy !== undefined &&
    policy !== null &&
    policy !== '' &&
    orphanDependents !== undefined &&
    orphanDependents !== null
  ) {
    throw badRequest('orphanDependents and propagationPolicy exclude each other');
  }
  if (orphanDependents === true) return DeleteRequest_Propagation.ORPHAN;
  if (orphanDependents === false) return DeleteRequest_Propagation.BACKGROUND;
  switch (policy) {
    case undefined:
    case null:
    case '':
      return DeleteRequest_Propagation.UNSPECIFIED;
    case 'Background':
      return DeleteRequest_Propagation.BACKGROUND;
    case 'Foreground':
      return DeleteRequest_Propagation.FOREGROUND;
    case 'Orphan':
      return DeleteRequest_Propagation.ORPHAN;
    default:
      throw badRequest('propagationPolicy must be Background, Foreground or Orphan');
  }
}

function text(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw badRequest(`${name} must be a text`);
  return value;
}
