import { pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { ControlPlane } from './control-plane.ts';

/** Watches Pods until `enough` says so of one that has a node. Ends early, without a word, when `signal` aborts. */
export async function untilBound(
  { client }: ControlPlane,
  enough: (pod: Live<Pod>) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for await (const { events } of client.watch(podKind, { signal })) {
    for (const { type, object } of events) {
      if (type !== 'deleted' && object.spec.nodeName !== '' && enough(object)) return;
    }
  }
}
