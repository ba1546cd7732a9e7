import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { footprint, nodeFacts, Snapshot } from '@navarch/scheduler';
import type { Figure } from '../../frame/figure.ts';
import { nodeOf, podOf } from './workloads.ts';

const nodes = 10_000;
const pods = 100_000;

/** What the scheduler's picture of the cluster takes: nodes with their labels, then Pods of 100 sorts on them. */
export function* measureMemory(): Iterable<Figure> {
  const start = usedBytes();
  const snapshot = new Snapshot();
  for (let number = 0; number < nodes; number++) snapshot.putNode(nodeFacts(nodeOf(number)));
  const withNodes = usedBytes();
  for (let number = 0; number < pods; number++) {
    const pod = podOf(`pod-${number}`, { labels: { app: `app-${number % 100}` } });
    snapshot.place(`default/pod-${number}`, snapshot.nodes[number % nodes]?.name ?? '', footprint(pod));
  }
  const withPods = usedBytes();
  yield { name: 'memory per 1,000 nodes', value: mebibytes(withNodes - start) / (nodes / 1_000), unit: 'MiB' };
  yield { name: 'memory per 10,000 Pods', value: mebibytes(withPods - withNodes) / (pods / 10_000), unit: 'MiB' };
  // It is measured while it is there.
  if (snapshot.nodes.length !== nodes) throw new Error('nodes are missing');
}

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  // A new context sees the function that the flag adds.
  const collect = runInNewContext('gc') as () => void;
  collect();
}

function mebibytes(bytes: number): number {
  return bytes / 1024 ** 2;
}
