import type { Change } from '@navarch/client';
import type { RunnerInformers } from '@navarch/controller';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';

type Handler = (change: Change<KubeObject>) => void;

/** Passes changes on to handlers that come and go, which those of informers can't. */
export class ChangeHub {
  readonly #handlers = new Map<string, Handler[]>();

  /** Before the informers start. */
  constructor(informers: Pick<RunnerInformers, 'onChange'>, kinds: readonly KindDefinition[]) {
    for (const kind of kinds) {
      informers.onChange(kind, (change) => {
        for (const handle of this.#handlers.get(kind.place) ?? []) handle(change);
      });
    }
  }

  onChange<T extends KubeObject>({ place }: KindDefinition<T>, handler: (change: Change<T>) => void): void {
    const handlers = this.#handlers.get(place) ?? [];
    this.#handlers.set(place, handlers);
    // The informers give a kind's handlers objects of its message type alone.
    handlers.push(handler as unknown as Handler);
  }

  /** Forgets all handlers. */
  clear(): void {
    this.#handlers.clear();
  }
}
