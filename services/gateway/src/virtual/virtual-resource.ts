import type { Handler } from '../http/exchange.ts';

/** A resource of which nothing is kept: access reviews, tokens, metrics. Data: discovery and OpenAPI read it. */
export interface VirtualResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames?: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /** By the words of access rules. The exchange's target is of type 'resource'. */
  readonly verbs: Readonly<Partial<Record<'create' | 'get' | 'list', Handler>>>;
  /** Its OpenAPI v3 schema, without apiVersion, kind and metadata. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly description: string;
}
