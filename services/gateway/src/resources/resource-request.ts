import type { KindDefinition } from '@navarch/kinds';
import type { Exchange } from '../http/exchange.ts';
import type { ResourceTarget } from '../routes/target.ts';

/** A request for objects of a kind that there is. */
export interface ResourceRequest {
  readonly exchange: Exchange;
  readonly target: ResourceTarget;
  readonly kind: KindDefinition;
}

export type ResourceHandler = (request: ResourceRequest) => Promise<void>;
