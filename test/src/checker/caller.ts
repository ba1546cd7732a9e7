import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { grpcClientOptions } from '@navarch/kit';
import { fromServiceError } from '@navarch/machinery';
import type { Outcome } from './history.ts';

const deadlineMs = 4_000;

/** A call that did not come back with what was asked for. */
export class Failed extends Error {
  readonly outcome: Extract<Outcome, { type: 'refused' | 'unknown' }>;

  constructor(outcome: Failed['outcome']) {
    super(outcome.reason);
    this.outcome = outcome;
  }
}

/** Calls an api, each once: what becomes of a call is what is to be found out. */
export class Caller {
  readonly grpc: Client;

  constructor(address: string) {
    this.grpc = new Client(address, credentials.createInsecure(), grpcClientOptions);
  }

  call<Q, R>(method: MethodDefinition<Q, R>, request: Q): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const { path, requestSerialize, responseDeserialize } = method;
    const options = { deadline: Date.now() + deadlineMs };
    this.grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, (error, response) => {
      if (response !== undefined && error === null) resolve(response);
      else if (error?.details.includes('serialization failure'))
        reject(error); // the checker's own fault
      else reject(new Failed(error === null ? { type: 'unknown', reason: 'no answer' } : judged(error)));
    });
    return promise;
  }

  close(): void {
    this.grpc.close();
  }
}

/** What the api says itself is certain, but for what it does not know either. */
function judged(error: ServiceError): Failed['outcome'] {
  const { reason, message } = fromServiceError(error);
  const fromApi = error.metadata.get('grpc-status-details-bin').length > 0;
  const certain = fromApi && !['Unavailable', 'Timeout', 'Cancelled'].includes(reason);
  return { type: certain ? 'refused' : 'unknown', reason: `${reason}: ${message}` };
}
