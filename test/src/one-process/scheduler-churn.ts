/** For tests: schedulers that are killed, paused and cut off while Pods and nodes come and go, at two replicas of the api. */
import { Api } from '@navarch/api';
import { MemoryHub } from '@navarch/bus';
import { type ApiClient, createClient, createWrite, deleteWrite, updateStatusWrite } from '@navarch/client';
import { lease as leaseKind, node as nodeKind, pod as podKind, priorityClass } from '@navarch/kinds';
import { createLogger, createMetrics, formatAddress, type LogLevel } from '@navarch/kit';
import type { Random } from '@navarch/machinery';
import { Node, Pod, PriorityClass } from '@navarch/proto';
import { defaultProfiles, schedulerService } from '@navarch/scheduler';
import { MemoryStore } from '@navarch/store';
import { TcpProxy } from '@navarch/testing';
import { PlacementWitness } from './placement-witness.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { VirtualTime } from './virtual-time.ts';

const namespace = 'default';
const zones = ['east', 'west', 'north'];
const mostNodes = 9;
const replicas = 3;

interface Replica {
  readonly process: SimulatedProcess;
  readonly wire: TcpProxy;
}

/** What a story came to. */
export interface Churn {
  /** What the witness saw that must never be. */
  readonly wrongs: readonly string[];
  readonly bound: number;
  /** Pods without a node at rest, though one could have them by itself. */
  readonly forgotten: readonly string[];
  /** How many replicas have a Lease at rest. */
  readonly placers: number;
}

/** Tells one story of `steps` steps. Ends at rest, with all schedulers heard. */
export async function churn(random: Random, steps: number, logLevel: LogLevel = 'silent'): Promise<Churn> {
  const world = new World(random, logLevel);
  await world.start();
  try {
    for (let step = 0; step < steps; step++) {
      await world.step();
      await world.time.pass(random.pick([0, 0, 100, 400, 2_000, 9_000]));
    }
    return await world.rest();
  } finally {
    await world.stop();
  }
}

class World {
  readonly time = new VirtualTime();
  readonly #random: Random;
  readonly #logLevel: LogLevel;
  readonly #hub = new MemoryHub({ clock: this.time.clock });
  readonly #store = new MemoryStore({ clock: this.time.clock });
  readonly #witness = new PlacementWitness(this.#store);
  readonly #apis: Api[] = [];
  readonly #ends: Promise<void>[] = [];
  readonly #life = new AbortController();
  #replicas: readonly Replica[] = [];
  #client: ApiClient | undefined;
  #undertaker: Promise<void> = Promise.resolve();
  #made = 0;
  #started = 0;

  constructor(random: Random, logLevel: LogLevel) {
    this.#random = random;
    this.#logLevel = logLevel;
  }

  async start(): Promise<void> {
    await this.#startApi();
    await this.#startApi();
    this.#client = createClient({ address: this.#address(0), clock: this.time.clock });
    this.#undertaker = this.#bury();
    const important = PriorityClass.fromPartial({ metadata: { name: 'important' }, value: 1000 });
    await this.#client.transact([createWrite(priorityClass, important)]);
    for (let at = 0; at < 6; at++) await this.#addNode();
    for (let at = 0; at < replicas; at++) await this.#startReplica();
  }

  async step(): Promise<void> {
    const some: readonly (() => Promise<void>)[] = [
      ...Array.from({ length: 6 }, () => () => this.#addPods()),
      ...Array.from({ length: 4 }, () => () => this.#removePods()),
      () => this.#addNode(),
      () => this.#removeNode(),
      () => this.#kill(),
      () => this.#pause(),
      async () => this.#wake(),
      async () => this.#random.pick(this.#replicas).wire.cut(),
    ];
    await this.time.passes(this.#random.pick(some)());
  }

  /** With all schedulers heard, and as many as there were. */
  async rest(): Promise<Churn> {
    this.#wake();
    while (this.#replicas.length < replicas) await this.#startReplica();
    // Long enough for every back-off, and for Pods that nothing seemed to help.
    const deadlineMs = this.time.clock.monotonicMs() + 180_000;
    for (;;) {
      await this.time.pass(5_000);
      const forgotten = this.#witness.forgotten();
      const placers = await this.time.passes(this.#leases());
      const isAtRest = forgotten.length === 0 && placers === replicas;
      const { wrongs, bound } = this.#witness;
      if (isAtRest || this.time.clock.monotonicMs() > deadlineMs) return { wrongs, bound, forgotten, placers };
    }
  }

  /** The leader removes those of replicas that are gone. */
  async #leases(): Promise<number> {
    const { items } = await this.#api().list(leaseKind);
    return items.filter(({ metadata }) => metadata.name.startsWith('scheduler-replica-')).length;
  }

  async stop(): Promise<void> {
    this.#life.abort();
    this.#wake();
    await this.time.passes(this.#stop());
  }

  async #stop(): Promise<void> {
    await this.#undertaker;
    await Promise.all(this.#replicas.map(({ process }) => process.stop()));
    await Promise.all([...this.#ends, ...this.#replicas.map(({ wire }) => wire.stop())]);
    this.#client?.close();
    await Promise.all(this.#apis.map((api) => api.stop()));
    await this.#witness.stop();
    await this.#store.close();
  }

  #api(): ApiClient {
    if (this.#client === undefined) throw new Error('the story has not begun');
    return this.#client;
  }

  #address(at: number): string {
    const api = this.#apis[at % this.#apis.length];
    if (api === undefined) throw new Error('no api was started');
    return formatAddress(api.address);
  }

  async #startApi(): Promise<void> {
    const api = new Api({
      store: this.#store,
      bus: this.#hub.connect(),
      clock: this.time.clock,
      logger: this.#logger('api'),
      metrics: createMetrics('api', { process: false }),
      listen: { host: '127.0.0.1', port: 0 },
      version: 'churn',
      serviceCidr: { text: '10.96.0.0/16', address: '10.96.0.0', prefixLength: 16, family: 4 },
    });
    await api.start(new AbortController().signal);
    this.#apis.push(api);
    await this.time.passes(api.ready(new AbortController().signal));
  }

  async #startReplica(): Promise<void> {
    const number = this.#started++;
    const identity = `scheduler-${number}`;
    const wire = await TcpProxy.start(this.#address(number));
    const logger = this.#logger(identity);
    const metrics = createMetrics('scheduler', { process: false });
    const { clock } = this.time;
    const process = await SimulatedProcess.start({
      name: identity,
      address: wire.endpoint,
      hub: this.#hub,
      logger,
      clock,
      parts: (client, bus) =>
        schedulerService({ client, bus, identity, profiles: defaultProfiles, logger, metrics, clock }).components,
    });
    this.#replicas = [...this.#replicas, { process, wire }];
  }

  async #addPods(): Promise<void> {
    const count = 1 + this.#random.below(30);
    const app = this.#random.pick(['web', 'db', 'cache', 'job']);
    // What keeps Pods away from one another, and from Pods of others that have no rules of their own.
    const anti = this.#random.pick([undefined, undefined, 'kubernetes.io/hostname', 'zone']);
    const keptAway = this.#random.pick([app, 'web']);
    const priorityClassName = this.#random.chance(0.25) ? 'important' : '';
    const cpu = this.#random.pick(['100m', '500m', '1', '3']);
    const writes = Array.from({ length: count }, () => {
      const labelSelector = { matchLabels: { app: keptAway } };
      const required = [{ topologyKey: anti, labelSelector }];
      const pod = Pod.fromJSON({
        metadata: { name: `p${this.#made++}`, namespace, labels: { app } },
        spec: {
          priorityClassName,
          containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }],
          ...(anti && { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } }),
        },
      });
      return createWrite(podKind, pod);
    });
    await this.#api().transact(writes);
  }

  async #removePods(): Promise<void> {
    const pods = (await this.#api().list(podKind)).items.filter(() => this.#random.chance(0.3));
    await this.#delete(pods);
  }

  async #addNode(): Promise<void> {
    const { items } = await this.#api().list(nodeKind);
    if (items.length >= mostNodes) return;
    const name = `n${this.#made++}`;
    const labels = { zone: this.#random.pick(zones), 'kubernetes.io/hostname': name };
    const made = await this.#api().create(nodeKind, Node.fromJSON({ metadata: { name, labels } }));
    const allocatable = { cpu: this.#random.pick(['2', '4']), pods: this.#random.pick(['5', '12']) };
    const conditions = [{ type: 'Ready', status: 'True' }];
    const { status } = Node.fromJSON({ status: { allocatable, conditions } });
    await this.#api().transact([updateStatusWrite(nodeKind, { ...made, status })]);
  }

  /** With its Pods, as the controllers do when a machine is gone. */
  async #removeNode(): Promise<void> {
    const { items } = await this.#api().list(nodeKind);
    if (items.length < 3) return;
    const { name } = this.#random.pick(items).metadata;
    await this.#api().delete(nodeKind, { name });
    await this.#delete((await this.#api().list(podKind)).items.filter(({ spec }) => spec.nodeName === name));
  }

  async #delete(pods: readonly Pick<Pod, 'metadata'>[]): Promise<void> {
    const writes = pods.slice(0, 100).map(({ metadata }) => {
      const { name = '', uid = '' } = metadata ?? {};
      return deleteWrite(podKind, { namespace, name }, { uid, gracePeriodSeconds: 0 });
    });
    if (writes.length > 0) await this.#api().transact(writes);
  }

  async #kill(): Promise<void> {
    const killed = this.#random.pick(this.#replicas);
    this.#replicas = this.#replicas.filter((each) => each !== killed);
    this.#ends.push(killed.process.kill().then(() => killed.wire.stop()));
    await this.#startReplica();
  }

  /** It hears by the bus all the while; what it sends arrives when it is woken. */
  async #pause(): Promise<void> {
    this.#random.pick(this.#replicas).wire.hold();
  }

  #wake(): void {
    for (const { wire } of this.#replicas) wire.resume();
  }

  /** In the place of nodes: Pods that were asked to end do so. */
  async #bury(): Promise<void> {
    while (!this.#life.signal.aborted) {
      await this.time.clock.sleep(1_000, this.#life.signal).catch(() => undefined);
      const { items } = await this.#api().list(podKind);
      await this.#delete(items.filter(({ metadata }) => metadata.deletionTimestamp !== ''));
    }
  }

  #logger(name: string) {
    return createLogger({ name, level: this.#logLevel });
  }
}
