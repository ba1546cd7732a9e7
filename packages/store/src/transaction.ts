import { ApiError } from '@navarch/machinery';
import { checkKey } from './keys.ts';
import type { Transaction } from './store.ts';

/**
 * `operations` is etcd's default `--max-txn-ops`. `bytes` leaves room for the framing within its default
 * `--max-request-bytes` of 1.5 MiB. Source: https://etcd.io/docs/v3.4/op-guide/configuration/
 */
export const transactionLimits = { operations: 128, bytes: 1.25 * 1024 * 1024 } as const;

/** What a transaction weighs in a request to etcd, where a compared key is named twice (see `encodeTransaction`). */
export interface TransactionSize {
  /** What etcd counts against its limit: the longer of the compares and the operations. */
  readonly operations: number;
  readonly bytes: number;
}

/** Rejects what no store would take, before anything is sent. */
export function checkTransaction(transaction: Transaction): TransactionSize {
  const { compare, ops } = transaction;
  const operations = Math.max(compare.length, ops.length);
  if (operations > transactionLimits.operations) {
    throw new ApiError(
      'RequestEntityTooLarge',
      `a transaction of ${ops.length} operations and ${compare.length} compares is over the limit of ${transactionLimits.operations}; split it`,
    );
  }
  checkDistinct(compare, 'compared');
  checkDistinct(ops, 'changed');
  let bytes = 0;
  for (const { key } of compare) bytes += 2 * Buffer.byteLength(key);
  for (const op of ops) bytes += Buffer.byteLength(op.key) + (op.type === 'put' ? op.value.length : 0);
  if (bytes > transactionLimits.bytes) {
    throw new ApiError(
      'RequestEntityTooLarge',
      `a transaction of ${bytes} bytes is over the limit of ${transactionLimits.bytes}; split it or make its objects smaller`,
    );
  }
  return { operations, bytes };
}

function checkDistinct(items: readonly { readonly key: string }[], done: string): void {
  const seen = new Set<string>();
  for (const { key } of items) {
    checkKey(key);
    if (seen.has(key)) throw new ApiError('BadRequest', `the key ${key} is ${done} twice in one transaction`);
    seen.add(key);
  }
}
