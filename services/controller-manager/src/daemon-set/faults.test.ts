import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import { daemonSet as daemonSetKind, node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { DaemonSet, type Pod } from '@navarch/proto';
import { describe, vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { condition, node } from '../objects.fixture.ts';
import { isActive, isReady } from '../pod-state.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { daemonSetController } from './controller.ts';
import { nodeOf } from './placement.ts';
import { rolling, type Strategy, surging } from './world.fixture.ts';

// Dozens of rollouts, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const nodes = ['n1', 'n2', 'n3'];

/** A new template on three nodes, while one more joins. `mostOnNode` counts Pods that are ending where it says so. */
const rollout = (
  updateStrategy: Strategy,
  mostOnNode: { readonly count: number; readonly ofThose: (pod: Live<Pod>) => boolean },
): FaultScenario => ({
  controllers: (world, hands) => [daemonSetController(readCaches(world), hands)],
  agents,
  begin: async (world) => {
    for (const name of nodes) await world.write({ type: 'create', kind: nodeKind, object: node(name) });
    const object = DaemonSet.fromPartial({
      metadata: { name: 'logs', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'logs' } },
        template: { metadata: { labels: { app: 'logs' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
        updateStrategy,
      },
    });
    await world.write({ type: 'create', kind: daemonSetKind, object });
  },
  change: async (world) => {
    const [present] = world.all(daemonSetKind);
    if (present === undefined) throw new Error('there is no DaemonSet');
    const spec = structuredClone(present.spec);
    const [container] = spec.template?.spec?.containers ?? [];
    if (container !== undefined) container.image = 'v2';
    await world.write({ type: 'create', kind: nodeKind, object: node('n4') });
    await world.write(updateWrite(daemonSetKind, { ...present, spec }));
  },
  amiss: (world, when) => {
    const wanted = when === 'before' ? nodes : [...nodes, 'n4'];
    const image = when === 'before' ? 'v1' : 'v2';
    const pods = world.all(podKind);
    const good = pods.filter((pod) => isReady(pod) && pod.spec.containers[0]?.image === image).map(nodeOf);
    const status = world.all(daemonSetKind)[0]?.status;
    const done = pods.length === wanted.length && wanted.every((name) => good.includes(name));
    return done && status?.numberAvailable === wanted.length && status.updatedNumberScheduled === wanted.length
      ? ''
      : `${pods.length} Pods, of ${image} on ${good.join(', ')}, status ${JSON.stringify(status)}`;
  },
  wrong: (world) => {
    const counted = Map.groupBy(world.all(podKind).filter(mostOnNode.ofThose), nodeOf);
    const crowded = [...counted].filter(([, pods]) => pods.length > mostOnNode.count);
    return crowded.map(([name, pods]) => `${pods.length} Pods on ${name}`).join(', ');
  },
});

describe('in place', () => {
  faultRuns(rollout(rolling(1), { count: 1, ofThose: () => true }));
});
describe('in a surge', () => {
  faultRuns(rollout(surging(1), { count: 2, ofThose: isActive }));
});

/** Pods come up where they belong, and go when asked. */
async function agents(world: World): Promise<void> {
  for (const pod of world.all(podKind)) {
    const { metadata, spec, status } = pod;
    if (metadata.deletionTimestamp !== '') await world.write(deleteWrite(podKind, metadata, { gracePeriodSeconds: 0 }));
    else if (spec.nodeName === '') {
      await world.write(updateWrite(podKind, { ...pod, spec: { ...spec, nodeName: nodeOf(pod) ?? '' } }));
    } else if (status.phase !== 'Running') {
      const conditions = [condition('Ready', 'True', { lastTransitionTime: timestamp(Date.now()) })];
      await world.write(updateStatusWrite(podKind, { ...pod, status: { ...status, phase: 'Running', conditions } }));
    }
  }
}
