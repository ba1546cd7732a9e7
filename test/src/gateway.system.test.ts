import { afterAll, beforeAll, describe } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { foreignClient, type Kubectl, kubectlOf } from './kubectl.ts';
import { clientNode } from './suites/client-node.ts';
import { helm } from './suites/helm.ts';
import { kubectlContainers } from './suites/kubectl/containers.ts';
import { kubectlObjects } from './suites/kubectl/objects.ts';
import { kubectlWorkloads } from './suites/kubectl/workloads.ts';

const kubectlProgram = foreignClient('kubectl');
const helmProgram = foreignClient('helm');

// Clients that nobody here wrote. `npm test` looks for them, and says why where it finds none.
describe('a cluster through the Kubernetes HTTP API', () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ env: { NAVARCH_USAGE_MS: '2s' } });
    kubectl = await kubectlOf(cluster, kubectlProgram ?? 'kubectl');
  });
  afterAll(() => cluster?.remove());

  describe.skipIf(kubectlProgram === undefined)('with kubectl', () => {
    kubectlObjects(
      () => cluster,
      () => kubectl,
    );
    kubectlContainers(
      () => cluster,
      () => kubectl,
    );
    kubectlWorkloads(() => kubectl);
    if (helmProgram !== undefined) helm(() => kubectl, helmProgram);
  });
  clientNode(() => cluster);
});
