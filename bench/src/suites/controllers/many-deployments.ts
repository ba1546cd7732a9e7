import { deployment as deploymentKind, pod as podKind } from '@navarch/kinds';
import type { Figure } from '../../frame/figure.ts';
import { createAll } from '../cluster/in-batches.ts';
import type { SimulatedCluster } from '../simulated-cluster.ts';
import { clearAway, deploymentOf, podOf, untilAvailable } from './workload.ts';

const deployments = 1_000;
const replicas = 10;
const pods = deployments * replicas;

/** 1,000 Deployments of 10 Pods, created at once, until every Pod is available; beside creating that many bare Pods. */
export async function* manyDeployments(cluster: SimulatedCluster, say: (line: string) => void): AsyncIterable<Figure> {
  say(`creating ${pods} Pods that nothing places …`);
  const bare = Array.from({ length: pods }, (_, number) => {
    const pod = podOf('bare', `bare-${number}`);
    if (pod.spec) pod.spec.schedulerName = 'nobody';
    return pod;
  });
  const bareMs = performance.now();
  await createAll(cluster, podKind, bare);
  const limit = (performance.now() - bareMs) / 1000;
  await clearAway(cluster);

  say(`creating ${deployments} Deployments of ${replicas} Pods …`);
  const before = cluster.cpuSeconds();
  const sinceMs = performance.now();
  const names = Array.from({ length: deployments }, (_, number) => `web-${number}`);
  await createAll(
    cluster,
    deploymentKind,
    names.map((name) => deploymentOf(name, replicas)),
  );
  const seconds = await untilAvailable(cluster, deployments, sinceMs);
  yield {
    name: `${deployments} Deployments × ${replicas} Pods, until all are available`,
    value: seconds,
    unit: 's',
    limit,
  };
  yield { name: 'Pods made available', value: pods / seconds, unit: 'Pods/s' };
  for (const [name, cpu] of cluster.cpuSeconds()) {
    yield { name: `processor time of ${name}`, value: cpu - (before.get(name) ?? 0), unit: 's' };
  }
}
