import { ApiError } from '@navarch/machinery';
import { etcd } from '@navarch/proto';
import { toEntry } from './etcd-entry.ts';
import type { Compare, Conflict, Operation, Transaction, TransactionResult } from './store.ts';

/** One transaction as it is; several as one that holds each as a nested transaction with its own compares. */
export function encodeGroup(group: readonly Transaction[]): etcd.TxnRequest {
  const [first] = group;
  if (first && group.length === 1) return encodeTransaction(first);
  return {
    compare: [],
    success: group.map((transaction) => ({
      request: { $case: 'requestTxn', value: encodeTransaction(transaction) },
    })),
    failure: [],
  };
}

/** When a compare fails, what all compared keys hold is read in the same breath. */
function encodeTransaction({ compare, ops }: Transaction): etcd.TxnRequest {
  return { compare: compare.map(encodeCompare), success: ops.map(encodeOperation), failure: compare.map(encodeRead) };
}

function encodeCompare({ key, modRevision }: Compare): etcd.Compare {
  return {
    result: etcd.Compare_CompareResult.EQUAL,
    target: etcd.Compare_CompareTarget.MOD,
    key: Buffer.from(key),
    targetUnion: { $case: 'modRevision', value: modRevision },
  };
}

function encodeOperation(op: Operation): etcd.RequestOp {
  const key = Buffer.from(op.key);
  if (op.type === 'put') return { request: { $case: 'requestPut', value: { key, value: op.value, lease: 0n } } };
  return { request: { $case: 'requestDeleteRange', value: { key, rangeEnd: noBytes } } };
}

const noBytes = new Uint8Array();

function encodeRead({ key }: Compare): etcd.RequestOp {
  return {
    request: {
      $case: 'requestRange',
      value: {
        key: Buffer.from(key),
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
export function decodeGroup(group: readonly Transaction[], answer: etcd.TxnResponse): TransactionResult[] {
  const revision = answer.header?.revision ?? 0n;
  return group.map((transaction, i) => {
    const response = group.length === 1 ? answer : nested(answer.responses[i]);
    if (response.succeeded) return { committed: true, revision };
    return { committed: false, revision, conflicts: conflicts(transaction, response) };
  });
}

function nested(op: etcd.ResponseOp | undefined): etcd.TxnResponse {
  if (op?.response?.$case !== 'responseTxn') throw unexpected();
  return op.response.value;
}

function conflicts(transaction: Transaction, { responses }: etcd.TxnResponse): Conflict[] {
  return transaction.compare.flatMap(({ key, modRevision }, i) => {
    const read = responses[i]?.response;
    if (read?.$case !== 'responseRange') throw unexpected();
    const [kv] = read.value.kvs;
    return (kv?.modRevision ?? 0n) === modRevision ? [] : [{ key, entry: kv && toEntry(kv) }];
  });
}

function unexpected(): ApiError {
  return new ApiError('Unavailable', 'etcd answered a transaction with something else: its outcome is unknown');
}
