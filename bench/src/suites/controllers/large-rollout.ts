import { deployment as deploymentKind } from '@navarch/kinds';
import { PatchRequest_Type } from '@navarch/proto';
import type { Figure } from '../../frame/figure.ts';
import { createAll } from '../cluster/in-batches.ts';
import type { SimulatedCluster } from '../simulated-cluster.ts';
import { clearAway, deploymentOf, untilAvailable } from './workload.ts';

const replicas = 5_000;
const name = 'large';

/** A Deployment of 5,000 Pods: until it is available, and until a rolling update with the default steps has ended. */
export async function* largeRollout(cluster: SimulatedCluster, say: (line: string) => void): AsyncIterable<Figure> {
  await clearAway(cluster);
  say(`creating a Deployment of ${replicas} Pods …`);
  const createdMs = performance.now();
  await createAll(cluster, deploymentKind, [deploymentOf(name, replicas)]);
  yield {
    name: `a Deployment of ${replicas} Pods, until available`,
    value: await untilAvailable(cluster, 1, createdMs),
    unit: 's',
  };

  say('rolling it over to another image …');
  const patch = JSON.stringify({
    spec: { template: { spec: { containers: [{ name: 'c', image: 'example.org/app:2' }] } } },
  });
  const before = cluster.cpuSeconds();
  const sinceMs = performance.now();
  await cluster.client.patch(
    deploymentKind,
    { namespace: 'default', name },
    { type: PatchRequest_Type.STRATEGIC, patch },
  );
  const seconds = await untilAvailable(cluster, 1, sinceMs);
  yield { name: `rolling update of ${replicas} Pods, 25 % at a time`, value: seconds, unit: 's' };
  yield { name: 'Pods replaced', value: replicas / seconds, unit: 'Pods/s' };
  for (const [service, cpu] of cluster.cpuSeconds()) {
    yield { name: `processor time of ${service}`, value: cpu - (before.get(service) ?? 0), unit: 's' };
  }
}
