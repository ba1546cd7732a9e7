/** A DaemonSet's world in memory, for tests: the objects, what agents and scheduler do with its Pods, and the controller's steps. */
import { type ClientWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  controllerRevision as revisionKind,
  daemonSet as daemonSetKind,
  node as nodeKind,
  pod as podKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { DaemonSet, type Pod, type Taint } from '@navarch/proto';
import { lines, live, node, now as start } from '../objects.fixture.ts';
import { ObjectsInMemory } from '../objects-in-memory.fixture.ts';
import { timestamp } from '../time.ts';
import { type Failures, withFailures } from './failures.ts';
import { nodeOf } from './placement.ts';
import { type DaemonSetPlan, reconcileDaemonSet } from './reconcile.ts';

export type Strategy = NonNullable<NonNullable<DaemonSet['spec']>['updateStrategy']>;

export const rolling = (maxUnavailable: unknown = 1): Strategy => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable, maxSurge: 0 },
});
export const surging = (maxSurge: unknown = 1): Strategy => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable: 0, maxSurge },
});
export const onDelete: Strategy = { type: 'OnDelete', rollingUpdate: undefined };

export class DaemonWorld {
  nowMs = start;
  readonly objects = new ObjectsInMemory(() => this.nowMs);
  failures: Failures = new Map();

  constructor(more: Parameters<typeof DaemonSet.fromPartial>[0]['spec'] = {}) {
    const object = DaemonSet.fromPartial({
      metadata: { name: 'logs', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'logs' } },
        template: { metadata: { labels: { app: 'logs' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
        updateStrategy: rolling(),
        ...more,
      },
    });
    this.do({ type: 'create', kind: daemonSetKind, object });
  }

  get set(): Live<DaemonSet> {
    return (
      this.objects.get(daemonSetKind, 'logs') ?? live(DaemonSet.fromPartial({ metadata: {}, spec: {}, status: {} }))
    );
  }

  get pods(): readonly Live<Pod>[] {
    return this.objects.all(podKind);
  }

  /** Throws what the api refuses. */
  do(...writes: ClientWrite[]): void {
    for (const outcome of this.objects.transact(writes).outcomes) {
      if (!outcome.ok) throw new Error(outcome.error.message);
    }
  }

  /** Adds a node, or changes it. */
  node(name: string, labels: Record<string, string> = {}, taints: readonly Partial<Taint>[] = []): void {
    const made = node(name, { spec: { taints: taints.map((taint) => ({ ...taint })) }, metadata: { name, labels } });
    const present = this.objects.get(nodeKind, name, '');
    const metadata = { ...made.metadata, namespace: '', resourceVersion: present?.metadata.resourceVersion ?? '' };
    this.do({ type: present === undefined ? 'create' : 'update', kind: nodeKind, object: { ...made, metadata } });
  }

  leave(name: string): void {
    this.do({ type: 'delete', kind: nodeKind, key: { name } });
  }

  edit(change: (spec: NonNullable<DaemonSet['spec']>) => void): void {
    const spec = structuredClone(this.set.spec);
    change(spec);
    this.do(updateWrite(daemonSetKind, { ...this.set, spec }));
  }

  image(image: string): void {
    this.edit(({ template }) => {
      const [container] = template?.spec?.containers ?? [];
      if (container !== undefined) container.image = image;
    });
  }

  /** What the controller decides now. */
  plan(set = this.set, refused = false): DaemonSetPlan {
    const names = (kind: typeof podKind | typeof revisionKind) =>
      new Set(this.objects.all(kind as typeof podKind).map(({ metadata }) => metadata.name));
    return reconcileDaemonSet(
      {
        set,
        nodes: this.objects.all(nodeKind),
        pods: this.pods,
        revisions: this.objects.all(revisionKind),
        takenPods: names(podKind),
        takenRevisions: names(revisionKind),
        failures: this.failures,
      },
      this.nowMs,
      refused,
    );
  }

  carryOut(plan: DaemonSetPlan): void {
    this.do(...plan.writes);
    this.failures = withFailures(this.failures, plan.failedOn, this.nowMs);
  }

  /** Steps until there is nothing to do. Returns what would still be written after 20 steps. */
  settle(): readonly string[] {
    for (let step = 0; step < 20; step++) {
      const plan = this.plan();
      if (plan.writes.length === 0) return [];
      this.carryOut(plan);
    }
    return lines(this.plan().writes);
  }

  /** The scheduler and the agents do their part: Pods come up on their nodes, and are gone when they were asked to go. */
  agents(): void {
    for (const pod of this.pods) {
      const target = nodeOf(pod);
      const there = target !== undefined && this.objects.get(nodeKind, target, '') !== undefined;
      if (pod.metadata.deletionTimestamp !== '' || (pod.spec.nodeName !== '' && !there)) this.end(pod);
      else if (there && pod.status.phase === '') this.become(this.bind(pod), 'Running');
    }
  }

  bind(pod: Live<Pod>): Live<Pod> {
    if (pod.spec.nodeName !== '') return pod;
    this.do(updateWrite(podKind, { ...pod, spec: { ...pod.spec, nodeName: nodeOf(pod) ?? '' } }));
    return this.objects.get(podKind, pod.metadata.name) ?? pod;
  }

  become(pod: Live<Pod>, phase: string, ready = phase === 'Running'): void {
    const readyCondition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      lastTransitionTime: timestamp(this.nowMs),
      lastUpdateTime: '',
      reason: '',
      message: '',
      observedGeneration: 0,
    };
    const status = { ...pod.status, phase, conditions: [readyCondition] };
    this.do(updateStatusWrite(podKind, { ...pod, status }));
  }

  /** The agent has ended it. */
  end({ metadata: { name, namespace } }: Live<Pod>): void {
    this.do({ type: 'delete', kind: podKind, key: { name, namespace }, options: { gracePeriodSeconds: 0 } });
  }

  /** `n1=v1 n2=v1!`: the image of each Pod, by node; `!` when it is being deleted, `?` when it is not ready. */
  get picture(): string {
    const mark = (pod: Live<Pod>) => {
      if (pod.metadata.deletionTimestamp !== '') return '!';
      return pod.status.conditions.some(({ status }) => status === 'True') ? '' : '?';
    };
    return this.pods
      .map((pod) => `${nodeOf(pod)}=${pod.spec.containers[0]?.image}${mark(pod)}`)
      .toSorted()
      .join(' ');
  }
}
