import { etcd } from '@navarch/proto';
import { NumberedTemplate, placeholder } from './numbered-template.ts';
import { batchSize, storedPodBytes } from './pods.ts';

const key = Buffer.from(`/raw/pods/default/web-7c9d8b6f5d-${placeholder}`);
const put: etcd.RequestOp = {
  request: { $case: 'requestPut', value: { key, value: Buffer.alloc(storedPodBytes, 'x'), lease: 0n } },
};

/**
 * What etcd itself makes of creates: a transaction of nested ones, each of which puts a key if it is not there. The bytes
 * are made here and not by packages/store, because they are the limit that its work is measured by.
 */
export const rawCreates = (): NumberedTemplate => {
  const absent: etcd.Compare = {
    result: etcd.Compare_CompareResult.EQUAL,
    target: etcd.Compare_CompareTarget.MOD,
    key,
    targetUnion: { $case: 'modRevision', value: 0n },
  };
  const create: etcd.RequestOp = {
    request: { $case: 'requestTxn', value: { compare: [absent], success: [put], failure: [] } },
  };
  const success = Array.from({ length: batchSize }, () => create);
  return new NumberedTemplate(etcd.TxnRequest.encode({ compare: [], success, failure: [] }).finish(), 2);
};

/** One put. */
export const rawPut = (): NumberedTemplate =>
  new NumberedTemplate(etcd.TxnRequest.encode({ compare: [], success: [put], failure: [] }).finish(), 1);
