import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { createHash } from 'node:crypto';
import { type Kinds, pod as podKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import {
  type ExplainRequest,
  ExplainResponse,
  PlanningService,
  PlanRequest,
  PlanResponse,
  type PlanTask,
} from '@navarch/proto';
import type { Caller } from '../access/caller.ts';
import type { Gate } from '../grpc/allow.ts';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { unary, unaryKnowing } from '../grpc/calls.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { notFound } from '../read/resource-name.ts';
import type { Sources } from '../read/source.ts';
import { plannedObjects } from './planned-objects.ts';
import { asEncoded } from '../grpc/as-encoded.ts';
import type { PlannerSessions } from './planner-sessions.ts';

export const encodedPlanningService: ServiceDefinition = {
  explain: { ...PlanningService.explain, responseSerialize: asEncoded },
  plan: { ...PlanningService.plan, responseSerialize: asEncoded },
};

interface Parts {
  readonly kinds: Kinds;
  readonly gate: Gate;
  readonly pipeline: Pipeline;
  readonly sources: Sources;
  readonly planners: PlannerSessions;
  readonly metrics: CallMetrics;
}

/** Has a scheduler answer, once the caller may see what the answer tells of. */
export function planningHandlers(parts: Parts): UntypedServiceImplementation {
  const { gate, sources, planners, metrics } = parts;
  const fresh = (signal: AbortSignal) => sources.of(podKind).fresh(signal);
  return {
    explain: unary('Explain', metrics, async (request: ExplainRequest, signal, { caller }) => {
      const { namespace, name } = request;
      gate.read(caller, 'get', { resource: 'pods', namespace, name });
      seesAll(gate, caller);
      const source = sources.of(podKind);
      await source.fresh(signal);
      if (source.cache.get(podKind, namespace, name) === undefined) throw notFound(podKind, name);
      const answer = await planners.ask({ $case: 'explain', value: request }, source.cache.revision, signal);
      if (answer.$case !== 'explained') throw unexpected();
      return Buffer.from(ExplainResponse.encode(answer.value).finish());
    }),
    // A manifest may be of a kind that was made a moment ago.
    plan: unaryKnowing(fresh)('Plan', metrics, async (request: PlanRequest, signal, { caller, program }) => {
      seesAll(gate, caller);
      await fresh(signal);
      const options = { fence: undefined, dryRun: true, program, signal };
      const task = await toTask(request, async (apply) => await plannedObjects(parts, apply, { caller, options }));
      const { revision } = sources.of(podKind).cache;
      const answer = await planners.ask({ $case: 'plan', value: task }, revision, signal);
      if (answer.$case !== 'planned') throw unexpected();
      return Buffer.from(PlanResponse.encode(answer.value).finish());
    }),
  };
}

type Apply = Extract<PlanRequest['change'], { $case: 'apply' }>['value'];

async function toTask(
  { change }: PlanRequest,
  objectsOf: (apply: Apply) => ReturnType<typeof plannedObjects>,
): Promise<PlanTask> {
  switch (change?.$case) {
    case 'apply': {
      const digest = createHash('sha256').update(PlanRequest.encode({ change }).finish()).digest('hex');
      return { change: { $case: 'objects', value: await objectsOf(change.value) }, question: `apply ${digest}` };
    }
    case 'drain':
    case 'lose':
      if (change.value === '') throw new ApiError('BadRequest', `${change.$case} must name a node`);
      return { change, question: `${change.$case} ${change.value}` };
    case undefined:
      throw new ApiError('BadRequest', 'change must be set');
    default:
      return change satisfies never;
  }
}

/** An answer names nodes, and Pods of all namespaces. */
function seesAll(gate: Gate, caller: Caller): void {
  gate.read(caller, 'list', { resource: 'nodes', namespace: '' });
  gate.read(caller, 'list', { resource: 'pods', namespace: '' });
}

function unexpected(): ApiError {
  return new ApiError('InternalError', 'the scheduler answered something else than it was asked');
}
