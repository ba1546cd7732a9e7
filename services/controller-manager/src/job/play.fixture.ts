/** A Job that is played with: users, agents, nodes and the clock do what they like between the steps of its controller. */
import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import { completionIndexLabel, job as jobKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { ContainerStatus, type Job, type Pod } from '@navarch/proto';
import { ObjectsInMemory } from '../objects-in-memory.fixture.ts';
import type { Plan } from '../plan.ts';
import { isActive, isOver } from '../pod-state.ts';
import { timestamp } from '../time.ts';
import { job, type JobSpecParts } from './jobs.fixture.ts';
import { endedMs, isTracked } from './pods.ts';
import { reconcileJob } from './reconcile.ts';

/** One thing that happens. `pick` chooses the Pod, or the number. */
export type Happening =
  | { readonly type: 'succeeds' | 'fails' | 'starts' | 'isDeleted' | 'loses its node'; readonly pick: number }
  | { readonly type: 'time'; readonly ms: number }
  | { readonly type: 'parallelism' | 'elastic'; readonly pick: number }
  | { readonly type: 'suspend' | 'resume' | 'agents' };

export class Play {
  now = Date.UTC(2026, 0, 1);
  readonly wrongs: string[] = [];
  readonly #objects = new ObjectsInMemory(() => this.now);
  /** Every Pod that was let go together with the numbers, by uid. */
  readonly #counted = new Map<string, 'succeeded' | 'failed'>();
  /** After nothing but failures: before this no Pod may be made. Times are written in whole seconds. */
  #heldBackUntilMs = 0;

  constructor(spec: JobSpecParts) {
    const { metadata, spec: whole } = job(spec);
    const made = { metadata: { ...metadata, uid: '', resourceVersion: '' }, spec: whole, status: undefined };
    this.#objects.transact([{ type: 'create', kind: jobKind, object: made }]);
  }

  get job(): Live<Job> {
    const found = this.#objects.get(jobKind, 'work');
    if (found === undefined) throw new Error('the Job is gone');
    return found;
  }

  get pods(): readonly Live<Pod>[] {
    return this.#objects.all(podKind);
  }

  /** One step of the controller. Returns its plan. */
  step(): Plan {
    const { job, pods } = this;
    const taken = { has: (name: string) => pods.some(({ metadata }) => metadata.name === name) };
    const plan = reconcileJob({ job, pods, taken }, this.now);
    const { outcomes } = this.#objects.transact(plan.writes, plan.atomic);
    for (const outcome of outcomes) if (!outcome.ok) this.wrongs.push(`refused: ${outcome.error.message}`);
    this.#check(plan, { job, pods });
    return plan;
  }

  happen(event: Happening): void {
    switch (event.type) {
      case 'starts':
        return this.#change(event.pick, (pod) => this.#report(pod, 'Running', 0));
      case 'succeeds':
        return this.#change(event.pick, (pod) => this.#report(pod, 'Succeeded', 0));
      case 'fails':
        return this.#change(event.pick, (pod) => this.#report(pod, 'Failed', 1 + (event.pick % 3)));
      case 'isDeleted':
        return this.#change(event.pick, (pod) => this.#objects.transact([deleteWrite(podKind, pod.metadata)]));
      case 'loses its node':
        return this.#change(event.pick, (pod) =>
          this.#objects.transact([deleteWrite(podKind, pod.metadata, { gracePeriodSeconds: 0 })]),
        );
      case 'time':
        this.now += event.ms;
        return;
      case 'parallelism':
        return this.#edit((spec) => void (spec.parallelism = event.pick % 6));
      case 'elastic':
        return this.#edit((spec) => {
          if (spec.completionMode !== 'Indexed' || spec.completions !== spec.parallelism) return;
          spec.completions = 1 + (event.pick % 6);
          spec.parallelism = spec.completions;
        });
      case 'suspend':
        return this.#edit((spec) => void (spec.suspend = true));
      case 'resume':
        return this.#edit((spec) => void (spec.suspend = false));
      case 'agents':
        return this.endPods();
    }
  }

  /** What agents do with Pods that were asked to go: their containers end, by the signal, and then the Pods may go. */
  endPods(): void {
    for (const pod of this.pods) {
      if (pod.metadata.deletionTimestamp === '') continue;
      if (!isOver(pod.status.phase)) this.#report(pod, 'Failed', 143);
      this.#objects.transact([deleteWrite(podKind, pod.metadata, { gracePeriodSeconds: 0 })]);
    }
  }

  #change(pick: number, change: (pod: Live<Pod>) => unknown): void {
    const alive = this.pods.filter(({ status }) => !isOver(status.phase));
    const pod = alive[pick % Math.max(1, alive.length)];
    if (pod !== undefined) change(pod);
  }

  #report(pod: Live<Pod>, phase: string, exitCode: number): void {
    const state = isOver(phase) ? { terminated: { exitCode, finishedAt: timestamp(this.now) } } : {};
    const containerStatuses = [ContainerStatus.fromPartial({ name: 'c', state })];
    const status = { ...pod.status, phase, containerStatuses };
    this.#objects.transact([updateStatusWrite(podKind, { ...pod, status })]);
  }

  #edit(change: (spec: NonNullable<Job['spec']>) => void): void {
    const { job } = this;
    const spec = structuredClone(job.spec);
    change(spec);
    this.#objects.transact([updateWrite(jobKind, { ...job, spec })]);
  }

  #check(plan: Plan, before: { readonly job: Live<Job>; readonly pods: readonly Live<Pod>[] }): void {
    const { job, pods } = this;
    const { spec, status } = job;
    const active = pods.filter(isActive);
    const created = plan.writes.filter(({ type }) => type === 'create').length;
    const wrong = (what: string, when: boolean) => void (when && this.wrongs.push(what));
    this.#count(plan, before.pods);
    wrong('more Pods than parallelism allows', created > 0 && active.length > (spec.parallelism ?? 1));
    wrong('Pods of a suspended Job', created > 0 && spec.suspend === true);
    const numbers = [...this.#counted.values()];
    const failed = numbers.filter((each) => each === 'failed').length;
    wrong(`${status.failed} failed, of ${failed} counted`, status.failed !== failed);
    if (spec.completionMode === 'Indexed') this.#checkIndexes(created, active);
    else wrong('successes counted otherwise', status.succeeded !== numbers.length - failed);
    const heldBack = spec.backoffLimitPerIndex === undefined && this.now < this.#heldBackUntilMs;
    wrong('a Pod too early after a failure', created > 0 && heldBack);
  }

  /** Notes the Pods that this plan counts. */
  #count({ writes, atomic }: Plan, before: readonly Live<Pod>[]): void {
    const changed = writes.map((write) => (write.type === 'update' ? write.object.metadata?.uid : undefined));
    const released = before.filter((pod) => isTracked(pod) && changed.includes(pod.metadata.uid));
    if (atomic !== true || released.length === 0) return;
    const failing = this.job.status.conditions.some(({ type }) => type === 'FailureTarget');
    for (const pod of released) {
      const { uid } = pod.metadata;
      if (this.#counted.has(uid)) this.wrongs.push('a Pod counted twice');
      if (!isCountable(this.job, pod)) continue;
      const over = pod.status.phase === 'Failed' || (pod.metadata.deletionTimestamp !== '' && !waitsForEnd(this.job));
      if (pod.status.phase === 'Succeeded') this.#counted.set(uid, 'succeeded');
      else if (failing || over) this.#counted.set(uid, 'failed');
    }
    const lastMs = Math.min(this.now, Math.max(...released.map(endedMs)));
    this.#heldBackUntilMs = released.every(hasNotSucceeded) ? lastMs + 9_000 : 0;
  }

  #checkIndexes(created: number, active: readonly Live<Pod>[]): void {
    const indexes = active.map(({ metadata }) => metadata.annotations[completionIndexLabel] ?? '');
    const { completedIndexes, succeeded } = this.job.status;
    const done = completedIndexes.split(',').flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number);
      return part === '' ? [] : Array.from({ length: last - first + 1 }, (_, n) => String(first + n));
    });
    if (new Set(indexes).size < indexes.length && created > 0) this.wrongs.push('an index twice');
    if (done.length !== succeeded) this.wrongs.push('not as many indexes as successes');
    if (created > 0 && indexes.some((index) => done.includes(index))) this.wrongs.push('an index that was done');
  }
}

function isCountable({ spec }: Live<Job>, { metadata }: Live<Pod>): boolean {
  return (
    spec.completionMode !== 'Indexed' || Number(metadata.annotations[completionIndexLabel]) < (spec.completions ?? 0)
  );
}

function waitsForEnd({ spec }: Live<Job>): boolean {
  return spec.podReplacementPolicy === 'Failed';
}

function hasNotSucceeded({ status }: Live<Pod>): boolean {
  return status.phase !== 'Succeeded';
}
