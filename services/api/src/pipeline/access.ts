import type { KindDefinition } from '@navarch/kinds';

/**
 * Who may do what. Until identities come, everybody may do everything: this file is where both questions are asked, for
 * every call, and the only one that will have to learn to say no (Unauthorized, Forbidden).
 */

/** Who calls. */
export interface Caller {
  readonly name: string;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'connect';

/** What a call wants to do. `namespace` is '' for all or none, `name` is '' for many. */
export interface Attributes {
  readonly verb: Verb;
  readonly kind: KindDefinition;
  readonly namespace: string;
  readonly name: string;
  readonly subresource?: Subresource;
}

export type Subresource = 'status' | 'scale' | 'binding' | 'eviction' | 'log' | 'exec' | 'metrics';

const anybody: Caller = { name: 'anybody' };

/** The caller behind a connection. */
export function authenticate(): Caller {
  return anybody;
}

/** Throws Forbidden when `caller` may not. */
export function authorize(_caller: Caller, _attributes: Attributes): void {}
