import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { pod as podKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { type ExplainRequest, ExplainResponse, PlanningService } from '@navarch/proto';
import type { Caller } from '../access/caller.ts';
import type { Gate } from '../grpc/allow.ts';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { unary } from '../grpc/calls.ts';
import { notFound } from '../read/resource-name.ts';
import type { Sources } from '../read/source.ts';
import type { PlannerSessions } from './planner-sessions.ts';

const asEncoded = (encoded: Buffer) => encoded;

export const encodedPlanningService: ServiceDefinition = {
  explain: { ...PlanningService.explain, responseSerialize: asEncoded },
};

interface Parts {
  readonly gate: Gate;
  readonly sources: Sources;
  readonly planners: PlannerSessions;
  readonly metrics: CallMetrics;
}

/** Has a scheduler answer, once the caller may see what the answer tells of. */
export function planningHandlers({ gate, sources, planners, metrics }: Parts): UntypedServiceImplementation {
  return {
    explain: unary('Explain', metrics, async (request: ExplainRequest, signal, { caller }) => {
      const { namespace, name } = request;
      gate.read(caller, 'get', { resource: 'pods', namespace, name });
      seesAll(gate, caller);
      const source = sources.of(podKind);
      await source.fresh(signal);
      if (source.cache.get(podKind, namespace, name) === undefined) throw notFound(podKind, namespace, name);
      const answer = await planners.ask({ $case: 'explain', value: request }, source.cache.revision, signal);
      if (answer.$case !== 'explained') throw unexpected();
      return Buffer.from(ExplainResponse.encode(answer.value).finish());
    }),
  };
}

/** An answer names nodes, and Pods of all namespaces. */
function seesAll(gate: Gate, caller: Caller): void {
  gate.read(caller, 'list', { resource: 'nodes', namespace: '' });
  gate.read(caller, 'list', { resource: 'pods', namespace: '' });
}

function unexpected(): ApiError {
  return new ApiError('InternalError', 'the scheduler answered something else than it was asked');
}
