import { pod as podKind } from '@navarch/kinds';
import { waitFor } from '@navarch/testing';
import type { Figure } from '../../frame/figure.ts';
import { median, percentile } from '../../frame/samples.ts';
import { namedNode, nodeOf, podOf } from '../scheduler/workloads.ts';
import { ControlPlane } from './control-plane.ts';
import { createAll } from './in-batches.ts';
import { readyNode, readyNodes } from './nodes.ts';
import { untilBound } from './until-bound.ts';

const nodes = 5_000;
const waiting = 500;
const arrivals = 20;
const pool = { pool: 'new' };

/** Pods wait for nodes that are not there. From the registration of one, call included, until a Pod is seen bound to it. */
export async function* nodeArrival(profileDir: string | undefined): AsyncIterable<Figure> {
  const plane = await ControlPlane.start(profileDir);
  try {
    await readyNodes(
      plane,
      Array.from({ length: nodes }, (_, number) => nodeOf(number)),
    );
    const pods = Array.from({ length: waiting }, (_, number) =>
      podOf(`waiting-${number}`, { cpu: '8', spec: { nodeSelector: pool } }),
    );
    await createAll(plane, podKind, pods);
    await waitFor(async () => (await plane.client.list(podKind)).items.every(isRefused), {
      what: 'all Pods to be told that they have to wait',
      timeoutMs: 60_000,
      intervalMs: 200,
    });
    const times: number[] = [];
    for (let round = 0; round < arrivals; round++) times.push(await arrive(plane, `new-${round}`));
    yield { name: "a node's arrival to its first Pod, median", value: median(times), unit: 'ms' };
    yield { name: "a node's arrival to its first Pod, worst", value: percentile(times, 1), unit: 'ms' };
  } finally {
    await plane.stop();
  }
}

/** Gives the milliseconds that it took. */
async function arrive(plane: ControlPlane, name: string): Promise<number> {
  const over = new AbortController();
  const bound = untilBound(plane, ({ spec }) => spec.nodeName === name, over.signal);
  try {
    const sinceMs = performance.now();
    await Promise.all([bound, readyNode(plane, namedNode(name, pool))]);
    return performance.now() - sinceMs;
  } finally {
    over.abort();
  }
}

function isRefused({ status }: { status: { conditions: readonly { type: string; reason: string }[] } }): boolean {
  return status.conditions.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable');
}
