import { type EventBus, subject } from '@navarch/bus';
import type { Client, Lister } from '@navarch/client';
import { lease as leaseKind, node as nodeKind } from '@navarch/kinds';
import { Backoff, type Clock, type Component, type Logger, retry } from '@navarch/kit';
import { isApiError, type Live } from '@navarch/machinery';
import { type ContainerImage, Lease, type Node, NodeHeartbeat, NodeStatus, type Pod } from '@navarch/proto';
import type { Runtime } from '../runtime/runtime.ts';
import { trouble } from '../trouble.ts';
import { allocatable, newNode, type NodeFacts, type NodeHealth, nodeLabels, nodeStatus } from './node-object.ts';
import { nodeImages } from './node-images.ts';
import { resourceStatus } from './resource-status.ts';

export interface NodeReporterOptions {
  readonly client: Client;
  readonly bus: EventBus;
  readonly runtime: Pick<Runtime, 'status' | 'listImages'>;
  readonly pods: Pick<Lister<Pod>, 'list'>;
  readonly nodes: Pick<Lister<Node>, 'get'>;
  readonly facts: () => Promise<NodeFacts>;
  readonly nodeName: string;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const leaseNamespace = 'navarch-node-leases';

/** How often a node that is not ready looks whether it is. */
const unreadyMs = 200;

/**
 * Tells the cluster of this node: makes the Node object and keeps it true, and sends a heartbeat on the bus every
 * `heartbeatMs`. While the bus is down the heartbeat is a Lease, renewed through the api.
 */
export class NodeReporter implements Component {
  readonly name = 'node';
  readonly #options: NodeReporterOptions;
  #facts: NodeFacts | undefined;
  #health: NodeHealth = { ready: false, message: 'the agent is starting' };
  #images: readonly ContainerImage[] | undefined;
  #loops: Promise<unknown> = Promise.resolve();
  #wake = Promise.withResolvers<void>();

  constructor(options: NodeReporterOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#loops = Promise.all([this.#keepNode(signal), this.#beat(signal)]);
    this.#loops.catch((error: unknown) => this.#options.logger.error({ err: error }, 'the node is no longer reported'));
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#loops]);
  }

  /** The Node object has changed: somebody may have marked it as lost. */
  poke(): void {
    this.#wake.resolve();
  }

  async #keepNode(signal: AbortSignal): Promise<void> {
    const { clock, logger, heartbeatMs } = this.#options;
    const backoff = new Backoff({ baseMs: 200, maxMs: 5_000 });
    const onError = (error: unknown, delayMs: number) => {
      logger.warn({ ...trouble(error), delayMs }, 'the Node object could not be brought up to date; trying again');
    };
    try {
      while (!signal.aborted) {
        this.#wake = Promise.withResolvers<void>();
        await retry(() => this.#update(signal), { backoff, signal, clock, onError });
        const pause = new AbortController();
        const sleep = clock.sleep(
          this.#health.ready ? heartbeatMs : unreadyMs,
          AbortSignal.any([signal, pause.signal]),
        );
        await Promise.race([this.#wake.promise, sleep.catch(() => undefined)]);
        pause.abort();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #update(signal: AbortSignal): Promise<void> {
    const { client, nodes, nodeName, clock, logger } = this.#options;
    const before = this.#health;
    this.#health = await this.#lookAtRuntime(signal);
    this.#facts ??= await this.#options.facts();
    if (this.#health.ready) await this.#lookAtImages(signal);
    // The cache may not show the newest, but what it shows is enough to see that something must be written.
    const cached = nodes.get({ namespace: '', name: nodeName });
    if (cached && !this.#differs(cached)) return;
    let node = await this.#readOrMake(signal);
    const labels = nodeLabels(this.#facts);
    if (Object.entries(labels).some(([key, value]) => node.metadata.labels[key] !== value)) {
      const metadata = { ...node.metadata, labels: { ...node.metadata.labels, ...labels } };
      node = await client.update(nodeKind, { ...node, metadata }, { signal });
    }
    if (!this.#differs(node)) return;
    const status = nodeStatus(node, this.#facts, this.#health, this.#images, clock.now());
    await client.updateStatus(nodeKind, { ...node, status }, { signal });
    if (before.ready !== this.#health.ready) {
      logger.info({ node: nodeName, ready: this.#health.ready, why: this.#health.message }, 'node state reported');
    }
  }

  #differs(node: Live<Node>): boolean {
    if (!this.#facts) return true;
    const labels = nodeLabels(this.#facts);
    if (Object.entries(labels).some(([key, value]) => node.metadata.labels[key] !== value)) return true;
    const status = nodeStatus(node, this.#facts, this.#health, this.#images, this.#options.clock.now());
    return JSON.stringify(sorted(NodeStatus.toJSON(status))) !== JSON.stringify(sorted(NodeStatus.toJSON(node.status)));
  }

  async #readOrMake(signal: AbortSignal): Promise<Live<Node>> {
    const { client, nodeName, logger } = this.#options;
    const facts = (this.#facts ??= await this.#options.facts());
    try {
      return await client.get(nodeKind, { name: nodeName }, { signal });
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
    logger.info({ node: nodeName }, 'registering this node');
    return client.create(nodeKind, newNode(facts), { signal });
  }

  async #lookAtRuntime(signal: AbortSignal): Promise<NodeHealth> {
    try {
      const { runtimeReady, networkReady, message } = await this.#options.runtime.status(signal);
      return { ready: runtimeReady && networkReady, message };
    } catch (error) {
      signal.throwIfAborted();
      return { ready: false, message: `the container runtime does not answer: ${String(error)}` };
    }
  }

  /** What is not known now is as it was: images are good to know, and no more. */
  async #lookAtImages(signal: AbortSignal): Promise<void> {
    try {
      this.#images = nodeImages(await this.#options.runtime.listImages(signal));
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn(trouble(error), 'the runtime does not tell its images');
    }
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { clock, heartbeatMs, bus, logger } = this.#options;
    try {
      while (!signal.aborted) {
        // Before the Node exists there is nobody to hear it.
        if (this.#facts) {
          const sent = bus.publish(subject('heartbeats', this.#options.nodeName), this.#heartbeat(this.#facts));
          if (!sent) {
            await this.#renewLease(signal).catch((error: unknown) => {
              signal.throwIfAborted();
              logger.warn(trouble(error), 'neither the bus nor the api takes the heartbeat');
            });
          }
        }
        await clock.sleep(this.#facts ? heartbeatMs : unreadyMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #heartbeat({ machine }: NodeFacts): Uint8Array {
    const { nodeName, pods, clock } = this.#options;
    const own = pods.list().filter(({ spec }) => spec.nodeName === nodeName);
    return NodeHeartbeat.encode({
      nodeName,
      resourceStatus: resourceStatus(nodeName, allocatable(machine), own),
      ready: this.#health.ready,
      message: this.#health.message,
      time: new Date(clock.now()).toISOString(),
    }).finish();
  }

  async #renewLease(signal: AbortSignal): Promise<void> {
    const { client, clock, nodeName, heartbeatMs } = this.#options;
    const renewTime = new Date(clock.now()).toISOString();
    const leaseDurationSeconds = Math.max(1, Math.ceil((heartbeatMs * 4) / 1000));
    const timeoutMs = Math.max(heartbeatMs, 2_000);
    try {
      const lease = await client.get(leaseKind, { namespace: leaseNamespace, name: nodeName }, { signal, timeoutMs });
      const spec = { ...lease.spec, holderIdentity: nodeName, renewTime, leaseDurationSeconds };
      await client.update(leaseKind, { ...lease, spec }, { signal, timeoutMs });
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
      const lease = Lease.fromPartial({
        metadata: { name: nodeName, namespace: leaseNamespace },
        spec: { holderIdentity: nodeName, acquireTime: renewTime, renewTime, leaseDurationSeconds },
      });
      await client.create(leaseKind, lease, { signal, timeoutMs });
    }
  }
}

/** With the keys of every object in one order, so that equal things have equal text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
