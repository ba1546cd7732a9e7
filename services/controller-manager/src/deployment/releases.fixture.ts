/** A Deployment with its ReplicaSets, Pods and settings in memory, moved on by the pure functions of both controllers. */
import { type ClientWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  configMap as configMapKind,
  deployment as deploymentKind,
  pod as podKind,
  replicaSet as replicaSetKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { ConfigMap, type Deployment, type Pod, type PodStatus, type ReplicaSet } from '@navarch/proto';
import { deployment, now } from '../objects.fixture.ts';
import { ObjectsInMemory } from '../objects-in-memory.fixture.ts';
import { isControlledBy } from '../ownership.ts';
import type { Plan } from '../plan.ts';
import { isActive } from '../pod-state.ts';
import { reconcileReplicaSet } from '../replica-set/reconcile.ts';
import { timestamp } from '../time.ts';
import type { Configuration } from './configuration.ts';
import { reconcileDeployment } from './reconcile.ts';

export class Releases {
  now = now;
  readonly objects = new ObjectsInMemory(() => this.now);
  readonly events: string[] = [];
  /** When somebody must look again though nothing changes. */
  again: number | undefined;

  constructor(more: Parameters<typeof deployment>[0] = {}, data: Record<string, string> = { color: 'blue' }) {
    const config = ConfigMap.fromPartial({ metadata: { name: 'app', namespace: 'default' }, data });
    this.write({ type: 'create', kind: configMapKind, object: config });
    this.write({ type: 'create', kind: deploymentKind, object: deployment(more) });
  }

  get deployment(): Live<Deployment> {
    const found = this.objects.get(deploymentKind, 'web');
    if (found === undefined) throw new Error('there is no Deployment');
    return found;
  }

  get sets(): readonly Live<ReplicaSet>[] {
    return this.objects.all(replicaSetKind);
  }

  get pods(): readonly Live<Pod>[] {
    return this.objects.all(podKind);
  }

  get configMaps(): readonly Live<ConfigMap>[] {
    return this.objects.all(configMapKind);
  }

  get reasons(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.deployment.status.conditions.map(({ type, reason }) => [type, reason]));
  }

  /** One look of the Deployment's controller. Returns what it wrote. */
  roll(): readonly ClientWrite[] {
    const { deployment } = this;
    const replicaSets = structuredClone(this.sets);
    const taken = { has: (name: string) => replicaSets.some(({ metadata }) => metadata.name === name) };
    const observed = { deployment, replicaSets, pods: this.pods, taken, configuration: this.#configuration() };
    return this.#do(reconcileDeployment(observed, this.now));
  }

  /** One look of the ReplicaSets' controller at each. */
  replicate(): readonly ClientWrite[] {
    return this.sets.flatMap((replicaSet) => {
      const pods = this.pods.filter((pod) => isControlledBy(pod, replicaSet));
      const taken = new Set(this.pods.map(({ metadata }) => metadata.name));
      return this.#do(reconcileReplicaSet({ replicaSet, pods, taken }, this.now));
    });
  }

  /** What an agent reports of the Pods chosen; those asked to go are gone. */
  agents(report: (pod: Live<Pod>) => Partial<PodStatus> | undefined): void {
    for (const pod of this.pods) {
      const { metadata } = pod;
      if (metadata.deletionTimestamp !== '') {
        this.write({ type: 'delete', kind: podKind, key: metadata, options: { gracePeriodSeconds: 0 } });
        continue;
      }
      const status = report(pod);
      if (status === undefined) continue;
      this.write(updateStatusWrite(podKind, { ...pod, status: { ...pod.status, ...status } }));
    }
  }

  /** Until nothing is written any more; time passes with each round, and as long as somebody waits for it. */
  rest(report: (pod: Live<Pod>) => Partial<PodStatus> | undefined = up(this)): void {
    for (let rounds = 0; rounds < 400; rounds++) {
      this.again = undefined;
      const wrote = [...this.roll(), ...this.replicate()];
      const before = this.objects.revision;
      this.agents(report);
      this.now += 1000;
      if (wrote.length > 0 || this.objects.revision !== before) continue;
      if (this.again === undefined || this.again > 3_600_000) return;
      this.now += this.again;
    }
    throw new Error(`this never comes to rest: ${JSON.stringify(this.reasons)}`);
  }

  change(edit: (object: { metadata: Live<Deployment>['metadata']; spec: Live<Deployment>['spec'] }) => void): void {
    const object = structuredClone(this.deployment);
    edit(object);
    this.write({ type: 'update', kind: deploymentKind, object });
  }

  annotate(key: string, value: string): void {
    this.change(({ metadata }) => {
      metadata.annotations[key] = value;
    });
  }

  image(image: string): void {
    this.change(({ spec }) => {
      const [container] = spec.template?.spec?.containers ?? [];
      if (container !== undefined) container.image = image;
    });
  }

  configure(data: Record<string, string>): void {
    const present = this.objects.get(configMapKind, 'app');
    if (present !== undefined) this.write(updateWrite(configMapKind, { ...present, data }));
  }

  /** Sizes by image: { nginx: 3 }. */
  get sizes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.sets.map((set) => [imageOf(set), set.spec.replicas ?? 1]));
  }

  write(write: ClientWrite): void {
    const [outcome] = this.objects.transact([write]).outcomes;
    if (outcome?.ok === false) throw new Error(outcome.error.message);
  }

  #do({ writes, events, againAfterMs }: Plan): readonly ClientWrite[] {
    const { outcomes, written } = this.objects.transact(writes);
    const refused = outcomes.find((outcome) => !outcome.ok);
    if (refused?.ok === false) throw new Error(`${refused.error.reason}: ${refused.error.message}`);
    this.events.push(...events.map(({ reason, message }) => `${reason}: ${message}`));
    if (againAfterMs !== undefined) this.again = Math.min(this.again ?? Number.POSITIVE_INFINITY, againAfterMs);
    return written.length === 0 ? [] : writes;
  }

  #configuration(): Configuration {
    const settings = this.configMaps.map((object) => ({ kind: 'ConfigMap', object }) as const);
    return {
      get: (kind, name) => settings.find(({ kind: of, object }) => of === kind && object.metadata.name === name),
      copies: settings.filter(({ object }) => isControlledBy(object, this.deployment)),
    };
  }
}

/** Pods that come up at once, but for images that are called bad: those crash. */
export function up(world: Releases): (pod: Live<Pod>) => Partial<PodStatus> | undefined {
  return (pod) => (imageOf(pod).includes('bad') ? crash(pod, world.now) : serve(pod, world.now));
}

/** Running and ready; undefined where it is already. */
export function serve(pod: Live<Pod>, nowMs: number): Partial<PodStatus> | undefined {
  if (pod.status.phase === 'Failed' || pod.status.conditions.some(({ status }) => status === 'True')) return undefined;
  return { phase: 'Running', startTime: timestamp(nowMs), conditions: [ready('True', nowMs)], containerStatuses: [] };
}

/** Ended once more, and waiting to be started again; undefined where it is known to be hopeless. */
export function crash(pod: Live<Pod>, nowMs: number): Partial<PodStatus> | undefined {
  const restartCount = (pod.status.containerStatuses[0]?.restartCount ?? -1) + 1;
  if (restartCount > 4) return undefined;
  const state = { waiting: { reason: 'CrashLoopBackOff', message: '' }, running: undefined, terminated: undefined };
  const container = {
    name: 'c',
    state,
    lastState: undefined,
    ready: false,
    restartCount,
    image: '',
    imageId: '',
    containerId: '',
    started: false,
  };
  return {
    phase: 'Running',
    startTime: timestamp(nowMs),
    conditions: [ready('False', nowMs)],
    containerStatuses: [container],
  };
}

export function imageOf(object: Live<Pod> | Live<ReplicaSet>): string {
  const spec = 'template' in object.spec ? object.spec.template?.spec : (object as Live<Pod>).spec; // what has no template is a Pod
  return spec?.containers[0]?.image ?? '';
}

export function isUp(pod: Live<Pod>): boolean {
  return isActive(pod) && pod.status.conditions.some(({ status }) => status === 'True');
}

function ready(status: string, nowMs: number) {
  const lastTransitionTime = timestamp(nowMs);
  return {
    type: 'Ready',
    status,
    lastTransitionTime,
    lastUpdateTime: '',
    reason: '',
    message: '',
    observedGeneration: 0,
  };
}
