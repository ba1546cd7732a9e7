import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Kinds } from '@navarch/kinds';
import { ApiError, errorDetail } from '@navarch/machinery';
import {
  type ApplyRequest,
  ApplyResponse,
  ApplyResponse_Result,
  type CreateRequest,
  type DeleteCollectionRequest,
  DeleteCollectionResponse,
  type DeleteRequest,
  DeleteResponse,
  type GetRequest,
  type HistoryRequest,
  type ListRequest,
  type PatchRequest,
  type TransactRequest,
  type UpdateRequest,
  type WatchRequest,
  WriteResult,
} from '@navarch/proto';
import { applyWrite } from '../pipeline/apply.ts';
import { createWrite } from '../pipeline/create.ts';
import { deleteCollection } from '../pipeline/delete-collection.ts';
import { checkDeletion, deleteWrite } from '../pipeline/delete.ts';
import { fieldPolicy } from '../pipeline/field-policy.ts';
import { requested } from '../pipeline/incoming.ts';
import { checkManager } from '../pipeline/owners.ts';
import { patchWrite } from '../pipeline/patch.ts';
import { decodeWrite, patched } from '../pipeline/decode-write.ts';
import { maxWritesPerTransaction, type Pipeline, type WriteOutcome, type Written } from '../pipeline/pipeline.ts';
import { updateStatusWrite, updateWrite } from '../pipeline/update.ts';
import { letGo, type Write } from '../pipeline/write.ts';
import type { ObjectHistory } from '../history/object-history.ts';
import type { Reader } from '../read/reader.ts';
import { type Gate, signalled } from './allow.ts';
import { encodeTransact, withMessage } from '../wire/responses.ts';
import type { CallMetrics } from './call-metrics.ts';
import { type CallContext, type Freshen, unaryKnowing } from './calls.ts';
import { once, refuseUnknown } from './decoders.ts';
import type { EncodedRequest } from './encoded-request.ts';
import { subresourceHandlers } from './subresources.ts';
import type { WatchStreams } from './watch-streams.ts';

/** The handlers of the Resources service: who asks what is checked here, what it means is the pipeline's and the reader's. */
export function resourcesHandlers(parts: {
  kinds: Kinds;
  gate: Gate;
  fresh: Freshen;
  reader: Reader;
  history: ObjectHistory;
  pipeline: Pipeline;
  streams: WatchStreams;
  metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { kinds, gate, reader, history, pipeline, streams, metrics } = parts;
  const unary = unaryKnowing(parts.fresh);

  const objectOf = ({ message }: EncodedRequest<CreateRequest | UpdateRequest>, { warn }: CallContext) =>
    requested(kinds, message, fieldPolicy(message.fieldValidation, warn));
  const writeObject = async (
    request: EncodedRequest<CreateRequest | UpdateRequest>,
    decode: () => Write,
    signal: AbortSignal,
    { program }: CallContext,
  ) => {
    const write = letGo(decode);
    const options = signalled(request.message, signal, program);
    request.forget();
    return (await pipeline.write(write, options)).resource;
  };

  return {
    ...subresourceHandlers(parts),
    get: unary('Get', metrics, async (request: GetRequest, signal, { caller }) => {
      gate.read(caller, 'get', request);
      return await reader.get(request, signal);
    }),
    list: unary('List', metrics, async (request: ListRequest, signal, { caller }) => {
      gate.read(caller, 'list', request);
      return await reader.list(request, signal);
    }),
    table: unary('Table', metrics, async (request: ListRequest, signal, { caller }) => {
      gate.read(caller, 'list', request);
      return await reader.table(request, signal);
    }),
    history: unary('History', metrics, async (request: HistoryRequest, signal, { caller }) => {
      gate.read(caller, 'get', request);
      return await history.of(request, signal);
    }),
    watch: streams.handler((request: WatchRequest, caller) => {
      for (const target of request.targets) gate.read(caller, 'watch', target);
    }),
    create: unary('Create', metrics, async (request: EncodedRequest<CreateRequest>, signal, context) => {
      const write = () => gate.write(context.caller, 'create', createWrite(objectOf(request, context)));
      return await writeObject(request, write, signal, context);
    }),
    update: unary('Update', metrics, async (request: EncodedRequest<UpdateRequest>, signal, context) => {
      const write = () => gate.write(context.caller, 'update', updateWrite(objectOf(request, context)));
      return await writeObject(request, write, signal, context);
    }),
    updateStatus: unary('UpdateStatus', metrics, async (request: EncodedRequest<UpdateRequest>, signal, context) => {
      const write = () => gate.write(context.caller, 'update', updateStatusWrite(objectOf(request, context)), 'status');
      return await writeObject(request, write, signal, context);
    }),
    patch: unary('Patch', metrics, async (request: PatchRequest, signal, { caller, warn, program }) => {
      const patch = patchWrite(kinds, request, fieldPolicy(request.fieldValidation, warn));
      const write = gate.write(caller, 'patch', patch, patched(request.subresource).subresource);
      return (await pipeline.write(write, signalled(request, signal, program))).resource;
    }),
    delete: unary('Delete', metrics, async (request: DeleteRequest, signal, { caller, program }) => {
      const write = gate.write(caller, 'delete', deleteWrite(kinds, request));
      const { resource, gone } = await pipeline.write(write, signalled(request, signal, program));
      return withMessage(1, resource, DeleteResponse.encode({ resource: undefined, gone }).finish());
    }),
    apply: unary('Apply', metrics, async (request: ApplyRequest, signal, { caller, warn, program }) => {
      const apply = applyWrite(kinds, request, fieldPolicy(request.fieldValidation, warn));
      const write = gate.write(caller, 'patch', apply, patched(request.subresource).subresource);
      const written = await pipeline.write(write, signalled(request, signal, program));
      const rest = ApplyResponse.encode({ result: doneBy(written), resource: undefined }).finish();
      return withMessage(2, written.resource, rest);
    }),
    deleteCollection: unary(
      'DeleteCollection',
      metrics,
      async (request: DeleteCollectionRequest, signal, { caller, program }) => {
        gate.read(caller, 'deletecollection', request);
        checkDeletion(request);
        const count = await deleteCollection({ kinds, reader, pipeline }, request, signalled(request, signal, program));
        return Buffer.from(DeleteCollectionResponse.encode({ count }).finish());
      },
    ),
    transact: unary('Transact', metrics, async (request: EncodedRequest<TransactRequest>, signal, context, last) => {
      const decoders = writesOf(parts, request, context);
      // Afterwards it would be too late: a write that is refused does not keep the others from being done.
      if (!last) for (const decode of decoders) refuseUnknown(decode);
      const options = signalled(request.message, signal, context.program);
      const { atomic } = request.message;
      request.forget();
      const outcomes = atomic
        ? await pipeline.writeTogether(decoders, options)
        : await pipeline.writeEach(decoders, options);
      return encodeTransact(outcomes.map(resultOf));
    }),
  };
}

/** The writes of a transaction, each decoded when it is first asked for. */
function writesOf(
  { kinds, gate }: { readonly kinds: Kinds; readonly gate: Gate },
  request: EncodedRequest<TransactRequest>,
  { caller, warn }: CallContext,
): readonly (() => Write)[] {
  const { writes, fieldManager, fieldValidation } = request.message;
  if (writes.length > maxWritesPerTransaction) {
    throw new ApiError(
      'RequestEntityTooLarge',
      `a transaction holds at most ${maxWritesPerTransaction} writes, not ${writes.length}; send several`,
    );
  }
  const defaults = { manager: checkManager(fieldManager), policy: fieldPolicy(fieldValidation, warn) };
  return Array.from(writes.keys(), (at) => {
    const decode = () => {
      const { verb, write, subresource } = decodeWrite(
        kinds,
        request.message.writes[at] ?? { write: undefined },
        defaults,
      );
      return gate.write(caller, verb, write, subresource);
    };
    return once(() => letGo(decode));
  });
}

/** An encoded WriteResult. */
function resultOf(outcome: WriteOutcome | undefined): Uint8Array {
  if (outcome?.ok !== true) {
    const result: WriteResult['result'] = outcome && { $case: 'error', value: errorDetail(outcome.error) };
    return WriteResult.encode({ result, done: ApplyResponse_Result.UNSPECIFIED, gone: false }).finish();
  }
  const { written } = outcome;
  const rest = WriteResult.encode({ result: undefined, done: doneBy(written), gone: written.gone }).finish();
  return withMessage(1, written.resource, rest);
}

function doneBy({ created, changed }: Written): ApplyResponse_Result {
  if (created) return ApplyResponse_Result.CREATED;
  return changed ? ApplyResponse_Result.CONFIGURED : ApplyResponse_Result.UNCHANGED;
}
