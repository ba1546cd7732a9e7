import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  type ExplainRequest,
  type ExplainResponse,
  type PlannerMessage,
  PlannersService,
  type PlannerTask,
  PlanningService,
  PlanRequest,
  type PlanResponse,
} from '@navarch/proto';
import type { CallOptions } from './client.ts';
import type { Connection } from './connection.ts';

/** What the scheduler would do, and why. Throws ApiError('Unavailable') while none is connected. */
export interface PlanningCalls {
  explain(pod: ExplainRequest, options?: CallOptions): Promise<ExplainResponse>;
  plan(change: NonNullable<PlanRequest['change']>, options?: CallOptions): Promise<PlanResponse>;
  /** For a scheduler: the session over which it is asked, until `signal` aborts. */
  connect(signal: AbortSignal): Promise<PlannerSession>;
}

export interface PlannerSession {
  /** What is asked, one reader. Ends with the session, or throws. */
  readonly tasks: AsyncIterable<PlannerTask>;
  /** What is sent after the end is forgotten. */
  send(message: PlannerMessage): void;
}

/** A plan of many Pods takes its time. */
const planTimeoutMs = 60_000;

export function planningCalls(connection: Connection): PlanningCalls {
  return {
    explain: (pod, options = {}) => connection.read(PlanningService.explain, pod, options),
    plan: (change, options = {}) =>
      connection.read(PlanningService.plan, PlanRequest.fromPartial({ change }), {
        timeoutMs: planTimeoutMs,
        ...options,
      }),
    connect: async (signal) => {
      const call: ClientDuplexStream<PlannerMessage, PlannerTask> = await connection.duplex(PlannersService.connect);
      const tasks = connection.messages(call, signal);
      return {
        tasks,
        send: (message) => {
          if (!call.destroyed && !call.writableEnded) call.write(message);
        },
      };
    },
  };
}
