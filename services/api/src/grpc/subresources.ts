import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { fromResource, type Kinds } from '@navarch/kinds';
import {
  type BindRequest,
  DeleteResponse,
  type EvictRequest,
  Form,
  type GetRequest,
  Resource,
  Scale,
  type UpdateScaleRequest,
} from '@navarch/proto';
import type { ReadonlyObject } from '../cache/cached-object.ts';
import { bindWrite } from '../pipeline/bind.ts';
import { evictWrite } from '../pipeline/evict.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { scaleOf, scaleWrite } from '../pipeline/scale.ts';
import type { Reader } from '../read/reader.ts';
import { type Gate, signalled } from './allow.ts';
import type { CallMetrics } from './call-metrics.ts';
import { type Freshen, unaryKnowing } from './calls.ts';

/** The handlers of what is asked of an object by another name: its scale, its binding, its eviction. */
export function subresourceHandlers({
  kinds,
  gate,
  fresh,
  reader,
  pipeline,
  metrics,
}: {
  kinds: Kinds;
  gate: Gate;
  fresh: Freshen;
  reader: Reader;
  pipeline: Pipeline;
  metrics: CallMetrics;
}): UntypedServiceImplementation {
  const unary = unaryKnowing(fresh);
  return {
    getScale: unary('GetScale', metrics, async (request: GetRequest, signal, { caller }) => {
      gate.read(caller, 'get', request, 'scale');
      return encodedScale(kinds, await reader.get({ ...request, form: Form.FULL }, signal));
    }),
    updateScale: unary('UpdateScale', metrics, async (request: UpdateScaleRequest, signal, { caller, program }) => {
      const write = gate.write(caller, 'update', scaleWrite(kinds, request), 'scale');
      return encodedScale(kinds, (await pipeline.write(write, signalled(request, signal, program))).resource);
    }),
    bind: unary('Bind', metrics, async (request: BindRequest, signal, { caller, program }) => {
      const write = gate.write(caller, 'create', bindWrite(request.binding), 'binding');
      return (await pipeline.write(write, signalled(request, signal, program))).resource;
    }),
    evict: unary('Evict', metrics, async (request: EvictRequest, signal, { caller, program }) => {
      const write = gate.write(caller, 'create', evictWrite(request.eviction), 'eviction');
      const { resource, gone } = await pipeline.write(write, signalled(request, signal, program));
      return Buffer.from(DeleteResponse.encode({ resource: Resource.decode(resource), gone }).finish());
    }),
  };
}

function encodedScale(kinds: Kinds, encoded: Buffer): Buffer {
  const resource = Resource.decode(encoded);
  const { kind, object } = fromResource(resource, kinds);
  // What is stored has metadata.
  return Buffer.from(Scale.encode(scaleOf(kind, object as ReadonlyObject, resource.revision)).finish());
}
