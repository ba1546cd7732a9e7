import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InformerSet } from '@navarch/client';
import { endpointSlice, node as nodeKind, pod as podKind, service } from '@navarch/kinds';
import { abortable, Backoff, type Clock, type Component, type Logger, type Metrics, systemClock } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import { cniConfig, cniConfigName } from './cni-config.ts';
import { DnsServer } from './dns/server.ts';
import { endpointRemoved } from './endpoint-removal.ts';
import { Kernel } from './kernel.ts';
import { bridgeDevice, type NodeNetwork } from './node-network.ts';
import type { Peer } from './overlay.ts';
import { PacketRules } from './packet-rules.ts';
import { type RunCommand, runCommand } from './run-command.ts';
import { type Ruleset, sendsTo, servicePlan } from './service-plan.ts';

export interface NetworkOptions extends Omit<NodeNetwork, 'podCidr'> {
  /** Caches of Services, EndpointSlices, Nodes, and at least this node's Pods; not yet running. */
  readonly informers: InformerSet;
  /** Where the agent keeps what must outlive it: addresses of Pods are remembered below it. */
  readonly stateDir: string;
  /** Where containerd looks for the network's configuration. */
  readonly cniConfDir: string;
  /** Ports of this node that no Service may take. */
  readonly reservedPorts?: readonly number[];
  /** Names the node's own name servers. Default /etc/resolv.conf. */
  readonly resolvConf?: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  readonly run?: RunCommand;
}

/** How often to look whether somebody flushed the rules. */
const auditMs = 30_000;

/** How long connections under way need to arrive, and other nodes, which may be busy, to change their rules as well. */
const settleMs = { alone: 150, withOthers: 500 };

/**
 * One node's network: the Pods' bridge, the overlay to other nodes, the packet rules of Services, and the name server.
 * Follows the caches; each change leads to one new picture of everything, applied at once. What an earlier agent left
 * keeps working until the caches have been filled.
 */
export class Network implements Component {
  readonly name = 'network';
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #kernel: Kernel;
  readonly #rules: PacketRules;
  readonly #dns: DnsServer;
  readonly #listers;
  readonly #applySeconds;
  #running: Promise<void> | undefined;
  /** Counts the changes of the caches, and up to which of them the kernel has been told. */
  #changes = 0;
  #shown = -1;
  #changed = Promise.withResolvers<void>();
  #applied: Ruleset | undefined;
  #appliedDevices = '';
  #auditedMs = Number.NEGATIVE_INFINITY;
  #mtu = 0;
  readonly #warnedOf = new Set<string>();
  readonly #firstApply = Promise.withResolvers<void>();
  #moved = Promise.withResolvers<void>();

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const run = options.run ?? runCommand;
    this.#kernel = new Kernel({ run, logger: options.logger });
    this.#rules = new PacketRules({ run });
    const { informers } = options;
    this.#listers = {
      services: informers.lister(service),
      slices: informers.lister(endpointSlice),
      nodes: informers.lister(nodeKind),
      pods: informers.lister(podKind),
    };
    const wake = () => {
      this.#changes++;
      this.#changed.resolve();
    };
    informers.onChange(service, wake);
    informers.onChange(endpointSlice, wake);
    informers.onChange(podKind, ({ object }) => object.spec.nodeName === options.nodeName && wake());
    // Nodes change often; only what the overlay is made of matters.
    informers.onChange(nodeKind, (change) => {
      if (change.type !== 'modified' || shape(change.object) !== shape(change.previous)) wake();
    });
    this.#dns = new DnsServer({
      services: this.#listers.services,
      endpointSlices: this.#listers.slices,
      address: options.clusterDns,
      serviceCidr: options.serviceCidr,
      clusterCidr: options.clusterCidr,
      logger: options.logger,
      metrics: options.metrics,
      clock: this.#clock,
      ...(options.resolvConf !== undefined && { resolvConf: options.resolvConf }),
    });
    this.#applySeconds = options.metrics.histogram({
      name: 'navarch_network_apply_seconds',
      help: 'Time to put a new picture of the network into the kernel.',
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    });
  }

  /** Resolves at once: the network itself comes once this node has been given its range of addresses (see `ready`). */
  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#running;
    await this.#dns.stop();
  }

  /** Resolves once Pods can be given addresses and Services answer. */
  async ready(signal: AbortSignal): Promise<void> {
    await abortable(this.#firstApply.promise, signal);
  }

  /** Resolves once the kernel shows what the caches show now, or something newer. */
  async applied(signal: AbortSignal): Promise<void> {
    const wanted = this.#changes;
    while (this.#shown < wanted) await abortable(this.#moved.promise, signal);
  }

  /**
   * Resolves when new connections no longer reach the Pod by any Service: this node's rules have left it out and so, as
   * far as this node's caches tell, have the others'. Await it between a Pod's deletionTimestamp and its SIGTERM.
   * Resolves after `longestMs` in any case; at once for a Pod that no Service leads to.
   */
  async endpointRemoved(podKey: string, longestMs: number, signal: AbortSignal): Promise<void> {
    const pod = this.#listers.pods.get(podKey);
    const applied = this.#applied;
    if (pod === undefined || applied === undefined) return;
    const view = {
      changed: () => this.#moved.promise,
      slices: () => this.#listers.slices.list(),
      leadsTo: (ip: string) => sendsTo(applied, ip),
      applied: (within: AbortSignal) => this.applied(within),
    };
    const settles = this.#peers().length > 0 ? settleMs.withOthers : settleMs.alone;
    const times = { longestMs, settleMs: settles, clock: this.#clock };
    if ((await endpointRemoved(pod, view, times, signal)) === 'removed') return;
    const advice = 'is the controller-manager running?';
    this.#options.logger.warn({ pod: podKey, longestMs, advice }, 'a Pod ends that Services may still send to');
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { logger, informers } = this.#options;
    const backoff = new Backoff({ baseMs: 200, maxMs: 10_000 });
    try {
      await informers.synced(signal);
      for (;;) {
        signal.throwIfAborted();
        this.#changed = Promise.withResolvers<void>();
        try {
          await this.#apply(signal);
          backoff.reset();
          const wait = new AbortController();
          const tick = this.#clock.sleep(auditMs, AbortSignal.any([signal, wait.signal])).catch(() => {});
          await Promise.race([this.#changed.promise, tick]);
          wait.abort();
        } catch (error) {
          signal.throwIfAborted();
          const delayMs = backoff.next();
          logger.error({ err: error, delayMs }, 'the network could not be brought up to date; trying again');
          await this.#clock.sleep(delayMs, signal);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #apply(signal: AbortSignal): Promise<void> {
    const { informers: _, reservedPorts = [], logger, ...options } = this.#options;
    const own = this.#listers.nodes.get(options.nodeName);
    if (own === undefined || own.spec.podCidr === '') {
      logger.debug({ node: options.nodeName }, 'waiting for this node to be given its range of addresses');
      return;
    }
    const startedMs = this.#clock.monotonicMs();
    const showing = this.#changes;
    const network: NodeNetwork = { ...options, podCidr: own.spec.podCidr };
    const peers = this.#peers();
    const devices = JSON.stringify([network.podCidr, peers]);
    // Most changes concern the rules alone; that everything is still in place is looked at now and then.
    const audit = devices !== this.#appliedDevices || startedMs - this.#auditedMs >= auditMs;
    if (audit) {
      this.#mtu = await this.#kernel.applyBridge(network, signal);
      await this.#kernel.applyOverlay(network, this.#mtu, peers, signal);
    }
    const ruleset = servicePlan({
      services: this.#listers.services.list(),
      endpointSlices: this.#listers.slices.list(),
      nodeName: options.nodeName,
      localPods: this.#listers.pods.list().filter(({ spec }) => spec.nodeName === options.nodeName),
      reservedPorts: new Set(reservedPorts),
    });
    if (audit) await this.#rules.audit(signal);
    const changed = await this.#rules.apply(ruleset, network, signal);
    if (changed) logger.debug({ services: ruleset.clusterIps.length }, 'packet rules changed');
    this.#applied = ruleset;
    if (audit) {
      // Only now: containerd may start Pods as soon as it sees this file.
      await this.#writeCniConfig(network.podCidr, this.#mtu);
      await this.#dns.start(signal);
      await this.#warnOfFirewalls(signal);
      this.#appliedDevices = devices;
      this.#auditedMs = startedMs;
    }
    this.#applySeconds.observe((this.#clock.monotonicMs() - startedMs) / 1000);
    this.#firstApply.resolve();
    this.#shown = showing;
    this.#moved.resolve();
    this.#moved = Promise.withResolvers<void>();
  }

  /** Our rules can't let through what another table drops. Said once for each. */
  async #warnOfFirewalls(signal: AbortSignal): Promise<void> {
    for (const table of await this.#kernel.forwardBlockers(signal)) {
      if (this.#warnedOf.has(table)) continue;
      this.#warnedOf.add(table);
      const advice = `iptables -I FORWARD -i ${bridgeDevice} -j ACCEPT; iptables -I FORWARD -o ${bridgeDevice} -j ACCEPT`;
      this.#options.logger.warn(
        { table, advice },
        'a firewall drops forwarded packets: Pods are cut off unless it lets the bridge through',
      );
    }
  }

  #peers(): readonly Peer[] {
    return this.#listers.nodes.list().flatMap((node) => {
      const nodeIp = internalIp(node);
      const { podCidr } = node.spec;
      const other = node.metadata.name !== this.#options.nodeName && nodeIp !== this.#options.nodeIp;
      return other && nodeIp !== undefined && podCidr !== '' ? [{ nodeIp, podCidr }] : [];
    });
  }

  async #writeCniConfig(podCidr: string, mtu: number): Promise<void> {
    const { cniConfDir, stateDir, logger } = this.#options;
    const config = cniConfig({ podCidr, mtu, dataDir: join(stateDir, 'addresses') });
    const file = join(cniConfDir, cniConfigName);
    const present = await readFile(file, 'utf8').catch(() => '');
    if (present === config) return;
    await mkdir(cniConfDir, { recursive: true });
    // containerd watches the folder: it must never read half a file, nor take the half for a configuration.
    await writeFile(`${file}.tmp`, config);
    await rename(`${file}.tmp`, file);
    logger.info({ file, podCidr, mtu }, 'Pod network configured');
  }
}

function shape(node: Live<Node>): string {
  return `${node.spec.podCidr} ${internalIp(node) ?? ''}`;
}

function internalIp({ status }: Live<Node>): string | undefined {
  return status.addresses.find(({ type }) => type === 'InternalIP')?.address;
}
