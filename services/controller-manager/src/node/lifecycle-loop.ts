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
import type { Plan } from '../plan.ts';
import { parseTimestamp } from '../time.ts';
import { EvictionPace } from './eviction-pace.ts';
import { failingOf, isMarkedSilent, isWell, type NodeSettings, reconcileNode } from './lifecycle.ts';
import { SignsOfLife } from './signs-of-life.ts';
import { failingTaints, taintFailing } from './taints.ts';
import { ZoneReport } from './zone-report.ts';
import { type Judgement, judgeZones, zoneLabel, type ZoneSettings } from './zones.ts';

export interface NodeLifecycleOptions {
  readonly informers: Pick<InformerSet, 'onChange' | 'revision'>;
  readonly caches: Caches;
  readonly hands: Hands;
  readonly bus: Pick<EventBus, 'subscribe' | 'onStatus'>;
  readonly settings: NodeSettings & ZoneSettings;
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
  readonly #report: ZoneReport;
  /** Nodes whose last write the caches don't show yet. */
  readonly #wrote = new Map<string, bigint>();
  #pace = new EvictionPace();
  #wasStopped = false;

  constructor(options: NodeLifecycleOptions) {
    this.#options = options;
    this.#signs = new SignsOfLife(options.clock);
    this.#report = new ZoneReport(options);
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
    this.#pace = this.#paceSoFar();
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
    const { caches, settings, clock } = this.#options;
    const nodes = caches.nodes.list();
    const judgement = judgeZones(
      nodes.map((node) => ({ zone: zoneOf(node), well: isWell(node, this.#signs.of(node.metadata.name), settings) })),
      settings,
    );
    const silent = nodes.filter(({ metadata }) => this.#signs.of(metadata.name).silentForMs >= settings.graceMs).length;
    this.#report.tell(judgement, { silent, lease: term.lease, nowMs: clock.monotonicMs() });
    // Those who are still silent now are listened to anew before they are given up.
    if (this.#wasStopped && !judgement.stopped) this.#signs.freshGrace();
    this.#wasStopped = judgement.stopped;
    for (const node of nodes) await this.#lookAt(node, judgement, term);
  }

  async #lookAt(node: Live<Node>, { stopped, zones }: Judgement, term: Term): Promise<void> {
    const { caches, settings, informers, clock } = this.#options;
    const { name } = node.metadata;
    if ((this.#wrote.get(name) ?? 0n) > informers.revision) return;
    const now = clock.now();
    const signs = this.#signs.of(name);
    const pods = caches.pods.byIndex(byNode, name);
    const condition = reconcileNode({ node, signs, pods, stopped }, settings, now);
    // A Node is written once at a time: its taints follow when its condition shows.
    if (condition.writes.length > 0) {
      await this.#do(name, condition, now, term);
      return;
    }
    const zone = zoneOf(node);
    const nowMs = clock.monotonicMs();
    const mayAdd = this.#pace.allows(zone, zones.get(zone) ?? { rate: 0 }, nowMs);
    const plan = taintFailing(node, { state: failingOf(node, signs, settings, now), stopped, mayAdd }, now);
    if (plan.writes.length === 0) return;
    const isFirst = failingTaints(node).length === 0;
    if ((await this.#do(name, plan, now, term)) && isFirst) {
      this.#pace.gaveUp(zone, nowMs);
      this.#report.gaveUp(zone);
    }
  }

  /** Whether all of it was done. */
  async #do(name: string, plan: Plan, now: number, term: Term): Promise<boolean> {
    const { hands, logger } = this.#options;
    const { wroteRevision, failures } = await attempt(hands, plan, { fence: term.fence(), now, signal: term.signal });
    this.#wrote.set(name, wroteRevision);
    for (const { error } of failures)
      logger.debug(
        { node: name, reason: error.reason, message: error.message },
        'a write for a node was refused; trying again',
      );
    if (failures.some(({ error }) => error.reason === 'Fenced')) term.lose('the api refused a write in its name');
    return failures.length === 0;
  }

  /** What a predecessor gave up lately counts. */
  #paceSoFar(): EvictionPace {
    const { caches, clock } = this.#options;
    const pace = new EvictionPace();
    for (const node of caches.nodes.list()) {
      for (const { timeAdded } of failingTaints(node)) {
        const agoMs = Math.max(0, clock.now() - (parseTimestamp(timeAdded) ?? 0));
        pace.gaveUp(zoneOf(node), clock.monotonicMs() - agoMs);
      }
    }
    return pace;
  }
}

function zoneOf({ metadata }: Live<Node>): string {
  return metadata.labels[zoneLabel] ?? '';
}
