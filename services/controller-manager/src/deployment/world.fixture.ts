/** A small world around a Deployment: its writes become true, and its ReplicaSets' Pods come up when told. */
import type { Live } from '@navarch/machinery';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { deployment as deploymentKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { now } from '../objects.fixture.ts';
import { reconcileDeployment } from './reconcile.ts';
import { timestamp } from '../time.ts';

export class DeploymentWorld {
  deployment: Live<Deployment>;
  readonly replicaSets = new Map<string, Live<ReplicaSet>>();
  now = now;
  #made = 0;

  constructor(deployment: Live<Deployment>) {
    this.deployment = structuredClone(deployment);
  }

  /** One step of the controller. Returns how many writes it took. */
  step(): number {
    const { writes } = reconcileDeployment(
      {
        deployment: structuredClone(this.deployment),
        replicaSets: structuredClone([...this.replicaSets.values()]),
        pods: [],
        taken: { has: (name) => this.replicaSets.has(name) },
      },
      this.now,
    );
    for (const write of writes) {
      if (write.type === 'delete') this.replicaSets.delete(write.key.name);
      else if (write.type === 'create' || write.type === 'update' || write.type === 'updateStatus') {
        // The plan says of which kind the object is.
        if (write.kind === replicaSetKind) this.#put(write.object as Live<ReplicaSet>);
        else if (write.kind === deploymentKind) this.deployment = write.object as Live<Deployment>;
      }
    }
    this.now += 1000;
    return writes.length;
  }

  /** Pods come and go with their ReplicaSets' sizes; `ready` says how many of the new ones serve. */
  settle(ready: (set: Live<ReplicaSet>) => number): void {
    for (const [name, set] of this.replicaSets) {
      const replicas = set.spec.replicas ?? 1;
      const available = Math.min(replicas, ready(set));
      const status = {
        ...set.status,
        replicas,
        readyReplicas: available,
        availableReplicas: available,
        observedGeneration: set.metadata.generation,
      };
      this.replicaSets.set(name, { ...set, status });
    }
  }

  /** Steps until nothing is left to do, with every Pod coming up at once. */
  finish(most = 100): void {
    for (let steps = 0; steps < most; steps++) {
      this.settle(() => Number.POSITIVE_INFINITY);
      if (this.step() === 0) return;
    }
    throw new Error('the Deployment never comes to rest');
  }

  image(image: string): void {
    const { spec } = this.deployment;
    const template = structuredClone(spec.template);
    const [container] = template?.spec?.containers ?? [];
    if (container !== undefined) container.image = image;
    this.deployment = { ...this.deployment, spec: { ...spec, template } };
  }

  change(spec: Partial<Live<Deployment>['spec']>): void {
    this.deployment = { ...this.deployment, spec: { ...this.deployment.spec, ...spec } };
  }

  /** Sizes by image: { nginx: 3 }. */
  sizes(): Record<string, number> {
    const sets = [...this.replicaSets.values()];
    return Object.fromEntries(
      sets.map(({ spec }) => [spec.template?.spec?.containers[0]?.image ?? '', spec.replicas ?? 1]),
    );
  }

  sum(count: (set: Live<ReplicaSet>) => number): number {
    return [...this.replicaSets.values()].reduce((sum, set) => sum + count(set), 0);
  }

  #put(object: Live<ReplicaSet>): void {
    const { name } = object.metadata;
    const before = this.replicaSets.get(name);
    const creationTimestamp = before?.metadata.creationTimestamp ?? timestamp(this.now);
    const uid = before?.metadata.uid ?? `uid-${this.#made++}`;
    const status = object.status ?? {
      replicas: 0,
      fullyLabeledReplicas: 0,
      readyReplicas: 0,
      availableReplicas: 0,
      observedGeneration: 0,
      conditions: [],
    };
    this.replicaSets.set(name, {
      ...object,
      metadata: { ...object.metadata, uid, creationTimestamp, generation: (before?.metadata.generation ?? 0) + 1 },
      status,
    });
  }
}
