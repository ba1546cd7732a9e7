import type { KindDefinition } from '@navarch/kinds';
import { applyDefaults } from '@navarch/machinery';
import { factsOf, share } from '../shared-specs.ts';
import type { Link } from './link.ts';

/** Gives absent fields what the contract and the kind say. The only link that changes nested fields: it is idempotent. */
export const defaults: Link = {
  admit: ({ kind, next }) => {
    const facts = factsOf(next.spec);
    if (facts === undefined) {
      complete(kind, next);
      return undefined;
    }
    const { spec } = next;
    facts.completed ??= share(completed(kind, spec as object)); // what is shared is an object
    next.spec = undefined;
    applyDefaults(kind.schema, next);
    next.spec = facts.completed;
    return undefined;
  },
};

function complete(kind: KindDefinition, object: object): void {
  applyDefaults(kind.schema, object);
  kind.complete?.(object);
}

/** Kinds that have shared specs complete them by what is in them alone. */
function completed(kind: KindDefinition, spec: object): object {
  const object = { ...(kind.message.fromJSON({}) as object), spec: structuredClone(spec) };
  complete(kind, object);
  return object.spec;
}
