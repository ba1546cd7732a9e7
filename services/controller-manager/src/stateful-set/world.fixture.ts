/**
 * A small cluster around one StatefulSet: its writes become true, a scheduler binds its Pods in turn, and agents start and
 * end what runs on their nodes. A node that is cut off does neither, and what ran there goes on.
 */
import type { ClientWrite } from '@navarch/client';
import {
  controllerRevision as revisionKind,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import { applyDefaults, type Live } from '@navarch/machinery';
import { StatefulSet } from '@navarch/proto';
import type { Pod } from '@navarch/proto';
import { ObjectsInMemory } from '../objects-in-memory.fixture.ts';
import { condition, now } from '../objects.fixture.ts';
import { isOver, isReady } from '../pod-state.ts';
import { timestamp } from '../time.ts';
import { reconcileStatefulSet } from './reconcile.ts';
import type { Plan } from '../plan.ts';

type SpecOfSet = NonNullable<Parameters<typeof StatefulSet.fromPartial>[0]['spec']>;

/** A set `db` of three Pods, completed as the api does it. */
export function statefulSet(spec: SpecOfSet = {}, image = 'db:1'): StatefulSet {
  const set = StatefulSet.fromPartial({
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image }] } },
      ...spec,
    },
  });
  applyDefaults(statefulSetKind.schema, set);
  statefulSetKind.complete?.(set);
  return set;
}

export class StatefulSetWorld {
  now = now;
  readonly objects = new ObjectsInMemory(() => this.now);
  /** Pods whose containers run, by uid: the name of each, and its node. */
  readonly running = new Map<string, { readonly name: string; readonly node: string }>();
  readonly cutOff = new Set<string>();
  /** What of each image becomes ready. */
  works = (image: string): boolean => !image.startsWith('broken');
  readonly #nodes = ['n1', 'n2', 'n3'];

  constructor(set: StatefulSet) {
    this.write({ type: 'create', kind: statefulSetKind, object: set });
  }

  get set(): Live<StatefulSet> {
    const set = this.objects.get(statefulSetKind, 'db');
    if (set === undefined) throw new Error('the set is gone');
    return set;
  }

  get pods(): readonly Live<Pod>[] {
    return this.objects.all(podKind).toSorted((a, b) => ordinal(a) - ordinal(b));
  }

  /** What follows where the step can't be taken. */
  failedPlan(): Plan {
    return this.plan(this.set, true);
  }

  plan(set: Live<StatefulSet> = this.set, failed = false): Plan {
    const { objects } = this;
    return reconcileStatefulSet(
      {
        set,
        pods: objects.all(podKind),
        revisions: objects.all(revisionKind),
        takenRevisions: { has: (name) => objects.get(revisionKind, name) !== undefined },
        anyPod: (name) => objects.get(podKind, name),
        claims: { get: (name) => objects.get(claimKind, name) },
      },
      this.now,
      failed,
    );
  }

  /** One step of the controller. Returns what it wrote, as `create pod db-0`. */
  step(): readonly string[] {
    const { length } = this.objects.log;
    this.write(...this.plan().writes);
    return this.objects.log.slice(length);
  }

  /** What scheduler, agents and the garbage collection of claims do in a moment. */
  settle(): void {
    this.tend();
    this.collect();
  }

  /** What scheduler and agents do in a moment. */
  tend(): void {
    for (const [index, pod] of this.pods.entries()) this.#tend(pod, this.#nodes[index % this.#nodes.length] ?? '');
    for (const [uid, { node }] of this.running) {
      const exists = this.pods.some(({ metadata }) => metadata.uid === uid);
      // An agent that finds its Pod gone ends the containers.
      if (!exists && !this.cutOff.has(node)) this.running.delete(uid);
    }
  }

  /** Claims go with the Pod that owns them. */
  collect(): void {
    for (const { metadata } of this.objects.all(claimKind)) {
      const [owner] = metadata.ownerReferences;
      const there = owner?.kind !== 'Pod' || this.pods.some((pod) => pod.metadata.uid === owner.uid);
      if (!there) this.write({ type: 'delete', kind: claimKind, key: metadata, options: {} });
    }
  }

  /** Its agent, if it can, says that the Pod is over: its containers have ended. */
  fail(pod: Live<Pod>): void {
    const { nodeName } = pod.spec;
    if (nodeName === '' || this.cutOff.has(nodeName)) return;
    this.running.delete(pod.metadata.uid);
    this.status(pod, { phase: 'Failed', conditions: [] });
  }

  /** What runs and could serve does so again. */
  recover(): void {
    for (const pod of this.pods) {
      if (pod.status.phase !== 'Running' || !this.works(imageOf(pod)) || isReady(pod)) continue;
      const ready = condition('Ready', 'True', { lastTransitionTime: timestamp(this.now) });
      this.status(pod, { conditions: [ready] });
    }
  }

  /** Steps and settles until neither does anything. */
  finish(most = 200): void {
    for (let quiet = 0, steps = 0; quiet < 3; steps++) {
      if (steps > most) throw new Error(`the set never comes to rest: ${this.objects.log.slice(-6).join(', ')}`);
      const again = this.plan().againAfterMs;
      quiet = this.step().length === 0 && again === undefined ? quiet + 1 : 0;
      this.settle();
      this.now += again ?? 1000;
    }
  }

  change(spec: Partial<Live<StatefulSet>['spec']>): void {
    const { set } = this;
    const object = { ...set, spec: { ...set.spec, ...spec } };
    this.write({ type: 'update', kind: statefulSetKind, object });
  }

  image(image: string): void {
    const template = structuredClone(this.set.spec.template);
    const [container] = template?.spec?.containers ?? [];
    if (container !== undefined) container.image = image;
    this.change({ template });
  }

  /** `db-0 db:1 ready`, in the order of their numbers. */
  get shown(): readonly string[] {
    return this.pods.map((pod) => {
      const going = pod.metadata.deletionTimestamp === '' ? '' : ' ending';
      const ready = pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
      return `${pod.metadata.name} ${imageOf(pod)} ${ready ? 'ready' : pod.status.phase || 'new'}${going}`;
    });
  }

  status(pod: Live<Pod>, status: Partial<Live<Pod>['status']>): void {
    const object = { ...pod, status: { ...pod.status, ...status } };
    this.write({ type: 'updateStatus', kind: podKind, object });
  }

  /** Throws what the store refuses: a controller with fresh caches is refused nothing. */
  write(...writes: readonly ClientWrite[]): void {
    for (const outcome of this.objects.transact(writes).outcomes)
      if (!outcome.ok) throw new Error(outcome.error.message);
  }

  #tend(pod: Live<Pod>, node: string): void {
    const { metadata, spec, status } = pod;
    const { nodeName } = spec;
    if (nodeName === '') {
      const object = { ...pod, spec: { ...spec, nodeName: node } };
      if (metadata.deletionTimestamp === '') this.write({ type: 'update', kind: podKind, object });
      return;
    }
    if (this.cutOff.has(nodeName)) return;
    if (metadata.deletionTimestamp !== '') {
      this.running.delete(metadata.uid);
      const { namespace, name, uid } = metadata;
      this.write({
        type: 'delete',
        kind: podKind,
        key: { namespace, name },
        options: { uid, gracePeriodSeconds: 0 },
      });
    } else if (isOver(status.phase)) {
      this.running.delete(metadata.uid);
    } else if (status.phase !== 'Running') {
      this.running.set(metadata.uid, { name: metadata.name, node: nodeName });
      const ready = condition('Ready', this.works(imageOf(pod)) ? 'True' : 'False', {
        lastTransitionTime: timestamp(this.now),
      });
      this.status(pod, { phase: 'Running', conditions: [ready] });
    }
  }
}

export function ordinal({ metadata }: { readonly metadata: { readonly name: string } }): number {
  return Number(metadata.name.split('-').at(-1));
}

export function imageOf({ spec }: Live<Pod>): string {
  return spec.containers[0]?.image ?? '';
}
