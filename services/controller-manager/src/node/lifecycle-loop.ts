import type { EventBus } from '@navarch/bus';
import { anyToken, subjectPattern } from '@navarch/bus';
import type { InformerSet } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { lease as leaseKind, node as nodeKind } from '@navarch/kinds';
import { Backoff, type Clock, type Logger, type Metrics } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import { type Node, NodeHeartbeat } from '@navarch/proto';
import { byNode, type Caches } from '../caches.ts';
import { attempt, type Hands } from '../carry-out.ts';
import { isBlind, isMarkedSilent, type NodeSettings, reconcileNode } from './lifecycle.ts';
import { SignsOfLife } from './signs-of-life.ts';

export interface NodeLifecycleOptions {
  readonly informers: Pick<InformerSet, 'onChange' | 'revision'>;
  readonly caches: Caches;
  readonly hands: Hands;
  readonly bus: Pick<EventBus, 'subscribe' | 'onStatus'>;
  readonly settings: NodeSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Where each node's agent renews a Lease of the node's name when the bus is away. */
const leaseNamespace = 'navarch-node-leases';

/** How often silence is looked for, at most. */
const longestTickMs = 1_000;

/**
 * Listens to nodes, and acts on their silence. Heartbeats are no changes of objects, so this is a loop of its own beside
 * the controllers: every second a look at all nodes, which costs a few microseconds each.
 */
export class NodeLifecycle {
  readonly #options: NodeLifecycleOptions;
  readonly #signs: SignsOfLife;
  readonly #silentNodes;
  /** Nodes whose last write the caches don't show yet. */
  readonly #wrote = new Map<string, bigint>();
  #wasBlind = false;

  constructor(options: NodeLifecycleOptions) {
    this.#options = options;
    this.#signs = new SignsOfLife(options.clock);
    this.#silentNodes = options.metrics.gauge({ name: 'navarch_silent_nodes', help: 'Nodes that are not heard of.' });
    options.informers.onChange(leaseKind, (change) => {
      const { namespace, name } = change.object.metadata;
      if (namespace === leaseNamespace && change.type !== 'deleted') this.#signs.renewed(name);
    });
    options.informers.onChange(nodeKind, (change) => {
      const { name } = change.object.metadata;
      if (change.type === 'deleted') this.#signs.forget(name);
      // Its agent found itself marked as lost and says otherwise, maybe a whole interval before its next heartbeat.
      if (change.type === 'modified' && isMarkedSilent(change.previous) && !isMarkedSilent(change.object))
        this.#signs.renewed(name);
    });
  }

  /** Listens until `signal` aborts, whether we lead or not, so that a new leader knows whom it has heard. */
  async listen(signal: AbortSignal): Promise<void> {
    const { bus, logger } = this.#options;
    bus.onStatus((connected) => {
      this.#signs.freshGrace();
      logger.info({ connected }, 'heartbeats: the bus came or went; every node gets a fresh grace period');
    }, signal);
    for await (const { payload } of bus.subscribe(subjectPattern('heartbeats', anyToken), { signal })) {
      try {
        const { nodeName, ready, message } = NodeHeartbeat.decode(payload);
        // Only nodes that exist are remembered: anybody may send under any name.
        if (this.#options.caches.nodes.get(nodeName) !== undefined) this.#signs.heartbeat(nodeName, { ready, message });
      } catch (error) {
        logger.warn({ err: error }, 'a heartbeat could not be read');
      }
    }
  }

  /** Acts until the term is over. */
  async lead(term: Term): Promise<void> {
    const { clock, settings, logger } = this.#options;
    const tickMs = Math.min(longestTickMs, settings.graceMs / 4);
    const backoff = new Backoff({ baseMs: tickMs, maxMs: 10_000 });
    this.#signs.freshGrace();
    this.#wrote.clear();
    while (!term.signal.aborted) {
      try {
        await this.#look(term);
        backoff.reset();
        await clock.sleep(tickMs, term.signal);
      } catch (error) {
        if (term.signal.aborted) return;
        const delayMs = backoff.next();
        logger.warn({ err: error, delayMs }, 'looking after nodes failed; trying again');
        await clock.sleep(delayMs, term.signal).catch(() => {});
      }
    }
  }

  async #look(term: Term): Promise<void> {
    const { caches, settings, logger } = this.#options;
    const nodes = caches.nodes.list();
    const silent = nodes.filter(({ metadata }) => this.#signs.of(metadata.name).silentForMs >= settings.graceMs).length;
    this.#silentNodes.set(silent);
    const blind = isBlind(silent, nodes.length);
    if (blind !== this.#wasBlind) {
      if (blind)
        logger.error(
          { silent, nodes: nodes.length },
          'most nodes are silent: taking that for our own fault, and moving no Pods',
        );
      // Those who are still silent now get the time until eviction anew.
      else this.#signs.freshGrace();
    }
    this.#wasBlind = blind;
    for (const node of nodes) await this.#lookAt(node, blind, term);
  }

  async #lookAt(node: Live<Node>, blind: boolean, term: Term): Promise<void> {
    const { caches, hands, settings, informers, clock, logger } = this.#options;
    const { name } = node.metadata;
    if ((this.#wrote.get(name) ?? 0n) > informers.revision) return;
    const now = clock.now();
    const pods = caches.pods.byIndex(byNode, name);
    const plan = reconcileNode({ node, signs: this.#signs.of(name), pods, blind }, settings, now);
    if (plan.writes.length === 0) return;
    const context = { fence: term.fence(), now, signal: term.signal };
    const { wroteRevision, failures } = await attempt(hands, plan, context);
    this.#wrote.set(name, wroteRevision);
    for (const { error } of failures)
      logger.debug(
        { node: name, reason: error.reason, message: error.message },
        'a write for a node was refused; trying again',
      );
    if (failures.some(({ error }) => error.reason === 'Fenced')) term.lose('the api refused a write in its name');
  }
}
