import type { Duplex } from 'node:stream';
import type { KindDefinition } from '@navarch/kinds';
import type { ResourceHandler, ResourceRequest } from '../resources/resource-request.ts';

/** A part of an object, or something that can be done with one, behind a path of its own. Data: discovery and OpenAPI read it. */
export interface Subresource {
  readonly name: string;
  /** Whether a kind has it. */
  has(kind: KindDefinition): boolean;
  /** What travels there, where that is not the kind itself: autoscaling/v1 Scale. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: Readonly<Partial<Record<SubresourceVerb, ResourceHandler>>>;
  /** Takes over an HTTP/1.1 connection that the client wants to upgrade. The handler ends the socket. */
  readonly upgrade?: (request: ResourceRequest, socket: Duplex, head: Buffer) => Promise<void>;
  /** As discovery names what upgrades: GET and POST are both said to be there then. */
  readonly upgradeVerbs?: readonly SubresourceVerb[];
}

export type SubresourceVerb = 'get' | 'create' | 'update' | 'patch' | 'delete';
