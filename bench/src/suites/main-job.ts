import { readFileSync } from 'node:fs';
import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { median, percentile } from '../frame/samples.ts';
import { containerdAlone } from './containerd-alone.ts';
import { type LocalCluster, localCluster } from './local-cluster.ts';
import { podStarts } from './pod-starts.ts';
import { rollingUpdate } from './rolling-update.ts';

const podCount = 20;

/** How fast and how light the main job is: start the cluster, run Pods, replace them under load. */
export const mainJob: Suite = {
  name: 'main-job',
  summary: 'start of a cluster, idle memory, Pod start against containerd alone, a rolling update under load',
  async *run({ say, signal }: SuiteOptions): AsyncIterable<Figure> {
    const cluster = localCluster();
    try {
      yield* starts(cluster, say);
      yield* idleMemory(cluster);

      say(`starting ${podCount} sandboxes and containers with containerd alone, one after another …`);
      const alone = await containerdAlone(cluster, podCount);
      say(`applying ${podCount} Pods, one after another …`);
      const through = await podStarts(cluster, podCount, signal);
      const overhead = through.map((ms) => ms - median(alone));
      yield { name: 'containerd alone, median', value: median(alone), unit: 'ms' };
      yield { name: 'apply to Running, median', value: median(through), unit: 'ms', limit: median(alone) };
      yield { name: 'on top of containerd, median', value: median(overhead), unit: 'ms', goal: { atMost: 50 } };
      yield { name: 'on top of containerd, worst', value: percentile(overhead, 1), unit: 'ms', goal: { atMost: 250 } };

      say('rolling the example over to another image under constant load …');
      const { answered, lost, seconds } = await rollingUpdate(cluster, signal);
      yield { name: 'rolling update', value: seconds, unit: 's' };
      yield { name: 'requests answered meanwhile', value: answered, unit: '' };
      yield { name: 'requests lost meanwhile', value: lost, unit: '', goal: { atMost: 0 } };
    } finally {
      await cluster.remove();
    }
  },
};

/** Cold: no state and no images. Warm: what `npm stop` left. Ready: the example's Pods run and its address answers. */
async function* starts(cluster: LocalCluster, say: (line: string) => void): AsyncIterable<Figure> {
  say('cold start …');
  yield { name: 'cold start to ready', value: await cluster.start(), unit: 's' };
  await cluster.stop();
  say('warm start …');
  yield { name: 'warm start to ready', value: await cluster.start(), unit: 's', goal: { atMost: 10 } };
}

/** Resident memory of each process, once the cluster has nothing to do. */
async function* idleMemory(cluster: LocalCluster): AsyncIterable<Figure> {
  for (const { name, pid } of cluster.processes()) {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    yield { name: `resident memory of ${name}`, value: Number(resident) / 1024, unit: 'MiB' };
  }
}
