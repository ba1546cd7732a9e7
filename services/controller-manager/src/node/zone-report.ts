import { lease as leaseKind } from '@navarch/kinds';
import type { Logger, Metrics } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import type { Lease } from '@navarch/proto';
import type { Hands } from '../carry-out.ts';
import type { Judgement, Zone } from './zones.ts';

/** A cluster that is just starting has no node that is well: what lasts is told of. */
const lastsMs = 10_000;

type Pace = 'stopped' | 'slowed' | 'usual';

/** Says how many nodes fail, and when that slows down or stops the moving of Pods: metrics, Events at the leader's Lease, and the log. */
export class ZoneReport {
  readonly #hands: Pick<Hands, 'events'>;
  readonly #logger: Logger;
  readonly #gauges;
  readonly #silent;
  readonly #stopped;
  readonly #givenUp;
  /** What was told last of the whole cluster, and of each zone; and what is seen since when. */
  readonly #told = new Map<string, Pace>();
  readonly #seen = new Map<string, { readonly pace: Pace; readonly sinceMs: number }>();

  constructor({ hands, metrics, logger }: { hands: Pick<Hands, 'events'>; metrics: Metrics; logger: Logger }) {
    this.#hands = hands;
    this.#logger = logger;
    const perZone = (name: string, help: string) => metrics.gauge({ name, help, labelNames: ['zone'] });
    this.#gauges = {
      nodes: perZone('navarch_zone_nodes', 'Nodes in the zone.'),
      unwell: perZone('navarch_zone_unwell_nodes', 'Nodes in the zone that are not Ready, or not heard of.'),
      rate: perZone('navarch_zone_eviction_rate', 'Nodes a second whose Pods may be moved off when they fail.'),
    };
    this.#silent = metrics.gauge({ name: 'navarch_silent_nodes', help: 'Nodes that are not heard of.' });
    this.#stopped = metrics.gauge({
      name: 'navarch_evictions_stopped',
      help: '1 while most nodes seem gone, and no Pods are moved for that.',
    });
    this.#givenUp = metrics.counter({
      name: 'navarch_nodes_given_up_total',
      help: 'Nodes whose Pods were to be moved because they failed.',
      labelNames: ['zone'],
    });
  }

  tell(judgement: Judgement, about: { silent: number; lease: Live<Lease>; nowMs: number }): void {
    const { zones, stopped, unwell, nodes } = judgement;
    this.#silent.set(about.silent);
    this.#stopped.set(stopped ? 1 : 0);
    for (const gauge of Object.values(this.#gauges)) gauge.reset();
    for (const [zone, { nodes, unwell, rate }] of zones) {
      this.#gauges.nodes.set({ zone }, nodes);
      this.#gauges.unwell.set({ zone }, unwell);
      this.#gauges.rate.set({ zone }, rate);
    }
    this.#tellOf('the cluster', stopped ? 'stopped' : 'usual', { unwell, nodes }, about);
    const usual = Math.max(0, ...[...zones.values()].map(({ rate }) => rate));
    for (const [zone, each] of zones) {
      // Of a stop everywhere there is no more to say of each zone.
      const pace = stopped || each.rate === usual ? 'usual' : each.rate === 0 ? 'stopped' : 'slowed';
      this.#tellOf(`zone "${zone}"`, pace, each, about);
    }
  }

  gaveUp(zone: string): void {
    this.#givenUp.inc({ zone });
  }

  #tellOf(
    what: string,
    pace: Pace,
    { unwell, nodes }: Pick<Zone, 'unwell' | 'nodes'>,
    { lease, nowMs }: { lease: Live<Lease>; nowMs: number },
  ): void {
    const seen = this.#seen.get(what);
    const sinceMs = seen?.pace === pace ? seen.sinceMs : nowMs;
    this.#seen.set(what, { pace, sinceMs });
    if (nowMs - sinceMs < lastsMs || (this.#told.get(what) ?? 'usual') === pace) return;
    this.#told.set(what, pace);
    const message = `${unwell} of ${nodes} nodes of ${what} are not ready or not heard of: ${consequences[pace]}`;
    const type = pace === 'usual' ? 'Normal' : 'Warning';
    this.#hands.events.event(leaseKind, lease, type, reasons[pace], message);
    if (pace === 'usual') this.#logger.info({ unwell, nodes, what }, 'Pods are moved off nodes that fail again');
    else
      this.#logger.error(
        { unwell, nodes, what, pace },
        'most nodes fail: that may be a fault of the network, or our own',
      );
  }
}

const reasons: Readonly<Record<Pace, string>> = {
  stopped: 'EvictionsStopped',
  slowed: 'EvictionsSlowed',
  usual: 'EvictionsResumed',
};

const consequences: Readonly<Record<Pace, string>> = {
  stopped: 'no Pods are moved for that',
  slowed: 'Pods are moved more slowly',
  usual: 'Pods are moved off those that stay so',
};
