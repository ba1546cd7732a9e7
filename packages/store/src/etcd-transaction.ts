import { ApiError } from '@navarch/machinery';
import { etcd } from '@navarch/proto';
import { toEntry } from './etcd-entry.ts';
import {
  type Compare,
  type Conflict,
  holds,
  type Operation,
  type Transaction,
  type TransactionResult,
} from './store.ts';
import { transactionLimits } from './transaction.ts';

/** One transaction as it is, or any number as one that holds each as a nested transaction with its own compares. */
export function encodeGroup(group: readonly Transaction[], { nested }: { nested: boolean }): etcd.TxnRequest {
  const [first] = group;
  const bytesOf = encodedKeys();
  if (first && !nested) return encodeTransaction(first, bytesOf);
  return {
    compare: [],
    success: group.map((transaction) => ({
      request: { $case: 'requestTxn', value: encodeTransaction(transaction, bytesOf) },
    })),
    failure: [],
  };
}

type BytesOf = (key: string) => Buffer;

/** Each key once: a transaction names it up to three times, and objects of one namespace all compare that. */
function encodedKeys(): BytesOf {
  const known = new Map<string, Buffer>();
  return (key) => {
    let bytes = known.get(key);
    if (bytes === undefined) known.set(key, (bytes = Buffer.from(key)));
    return bytes;
  };
}

/** Whether these fit into one request as nested transactions: etcd counts the nesting, too. */
export function nestable(group: readonly Transaction[]): boolean {
  const largest = Math.max(...group.map(({ compare, ops }) => Math.max(compare.length, ops.length)));
  return group.length + largest <= transactionLimits.operations;
}

/** When a compare fails, what all compared keys hold is read in the same breath. */
function encodeTransaction({ compare, ops }: Transaction, bytesOf: BytesOf): etcd.TxnRequest {
  return {
    compare: compare.map((each) => encodeCompare(each, bytesOf)),
    success: ops.map((op) => encodeOperation(op, bytesOf)),
    failure: compare.map((each) => encodeRead(each, bytesOf)),
  };
}

/** etcd takes the mod revision of a key that is not there for 0. */
function encodeCompare(compare: Compare, bytesOf: BytesOf): etcd.Compare {
  const [result, value] =
    'notAfter' in compare
      ? ([etcd.Compare_CompareResult.LESS, compare.notAfter + 1n] as const)
      : ([etcd.Compare_CompareResult.EQUAL, compare.modRevision] as const);
  return {
    result,
    target: etcd.Compare_CompareTarget.MOD,
    key: bytesOf(compare.key),
    targetUnion: { $case: 'modRevision', value },
  };
}

function encodeOperation(op: Operation, bytesOf: BytesOf): etcd.RequestOp {
  const key = bytesOf(op.key);
  if (op.type === 'put') return { request: { $case: 'requestPut', value: { key, value: op.value, lease: 0n } } };
  return { request: { $case: 'requestDeleteRange', value: { key, rangeEnd: noBytes } } };
}

const noBytes = new Uint8Array();

function encodeRead({ key }: Compare, bytesOf: BytesOf): etcd.RequestOp {
  return {
    request: {
      $case: 'requestRange',
      value: {
        key: bytesOf(key),
        rangeEnd: noBytes,
        limit: 0n,
        revision: 0n,
        serializable: false,
        keysOnly: false,
        countOnly: false,
      },
    },
  };
}

/** The results of what `encodeGroup` made of the same group. */
export function decodeGroup(
  group: readonly Transaction[],
  answer: etcd.TxnResponse,
  { nested }: { nested: boolean },
): TransactionResult[] {
  const revision = answer.header?.revision ?? 0n;
  return group.map((transaction, i) => {
    const response = nested ? nestedResponse(answer.responses[i]) : answer;
    if (response.succeeded) return { committed: true, revision };
    return { committed: false, revision, conflicts: conflicts(transaction, response) };
  });
}

function nestedResponse(op: etcd.ResponseOp | undefined): etcd.TxnResponse {
  if (op?.response?.$case !== 'responseTxn') throw unexpected();
  return op.response.value;
}

function conflicts(transaction: Transaction, { responses }: etcd.TxnResponse): Conflict[] {
  return transaction.compare.flatMap((compare, i) => {
    const read = responses[i]?.response;
    if (read?.$case !== 'responseRange') throw unexpected();
    const [kv] = read.value.kvs;
    return holds(compare, kv?.modRevision ?? 0n) ? [] : [{ key: compare.key, entry: kv && toEntry(kv) }];
  });
}

function unexpected(): ApiError {
  return new ApiError('Unavailable', 'etcd answered a transaction with something else: its outcome is unknown');
}
