import type { Kinds } from '@navarch/kinds';
import type { Fence } from '@navarch/proto';
import type { Caller } from '../access/caller.ts';
import type { Access, Subresource, Verb } from '../pipeline/access.ts';
import type { WriteOptions } from '../pipeline/pipeline.ts';
import type { Prepared, Write } from '../pipeline/write.ts';
import { kindNamed } from '../read/resource-name.ts';

/** What a request names. */
interface Named {
  readonly resource: string;
  readonly namespace: string;
  readonly name?: string;
  /** Of a list or a watch: one that chooses a single name asks for that one. */
  readonly fieldSelector?: string;
}

/** Asks for each call whether its caller may. */
export class Gate {
  readonly #access: Access;
  readonly #kinds: Kinds;

  constructor(access: Access, kinds: Kinds) {
    this.#access = access;
    this.#kinds = kinds;
  }

  /** Throws Forbidden when the caller may not do that with what a request names. */
  read(caller: Caller, verb: Verb, named: Named, subresource?: Subresource): void {
    const { resource, namespace, name = '', fieldSelector = '' } = named;
    const kind = kindNamed(this.#kinds, resource);
    const [, selected = ''] = /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(fieldSelector) ?? [];
    this.#access.authorize(caller, {
      verb,
      kind,
      namespace,
      name: name || selected,
      ...(subresource && { subresource }),
    });
  }

  /** The write, when the caller may do it; throws Forbidden otherwise. */
  write(caller: Caller, verb: Verb, write: Write, subresource?: Subresource): Write {
    if (caller === 'component') return write;
    const { kind, namespace, name } = write;
    // What is made has no name yet when it is asked for, as in Kubernetes.
    const isNew = verb === 'create' && subresource === undefined;
    const wanted = { verb, kind, namespace, name: isNew ? '' : name };
    this.#access.authorize(caller, { ...wanted, ...(subresource && { subresource }) });
    return {
      ...write,
      prepare: (circumstances) => {
        const prepared = write.prepare(circumstances);
        const previous = () => circumstances.view.get(kind, namespace, name)?.object;
        this.#checkOutcome(caller, verb, write, prepared, previous);
        return prepared;
      },
    };
  }

  /** What a write comes to may need more than the write itself: an apply that makes something, a role that gives something. */
  #checkOutcome(caller: Caller, verb: Verb, write: Write, prepared: Prepared, previous: () => unknown): void {
    const { kind, namespace, name } = write;
    const { created = false, gone, ops, body } = prepared;
    if (created && verb !== 'create') this.#access.authorize(caller, { verb: 'create', kind, namespace, name });
    if (gone || ops.length === 0 || verb === 'delete') return;
    this.#access.authorizeGrant(caller, { kind, body, previous: created ? undefined : previous() });
  }
}

/** What a request says of all that it asks for. */
export function signalled(
  request: { fence?: Fence | undefined; dryRun?: boolean },
  signal: AbortSignal,
  program: string,
): WriteOptions {
  return { fence: request.fence, dryRun: request.dryRun ?? false, program, signal };
}
