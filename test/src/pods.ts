import { waitFor } from '@navarch/testing';
import type { Cluster } from './cluster.ts';
import { isReady, type PodJson } from './shapes.ts';

/** Waits until `check` holds for the Pod, and gives the Pod. What it looked like last is part of the error. */
export async function podUntil(
  cluster: Cluster,
  name: string,
  what: string,
  check: (pod: PodJson) => boolean,
): Promise<PodJson> {
  let last: PodJson | undefined;
  try {
    await waitFor(
      async () => {
        last = await cluster.json<PodJson>('get', 'pod', name);
        return check(last);
      },
      { timeoutMs: 60_000, intervalMs: 100, what: `Pod ${name} ${what}` },
    );
  } catch (cause) {
    throw new Error(`Pod ${name} is not ${what}; last seen: ${JSON.stringify(last?.status)}`, { cause });
  }
  if (last === undefined) throw new Error(`Pod ${name} was never seen`);
  return last;
}

export const podReady = (cluster: Cluster, name: string): Promise<PodJson> => podUntil(cluster, name, 'ready', isReady);
