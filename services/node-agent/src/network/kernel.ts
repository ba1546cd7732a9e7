import { readFile, writeFile } from 'node:fs/promises';
import type { Logger } from '@navarch/kit';
import { bridgePlan, type Link, podMtu } from './devices.ts';
import { bridgeDevice, type NodeNetwork, overlayDevice } from './node-network.ts';
import { type OverlayState, overlayPlan, type Peer } from './overlay.ts';
import type { RunCommand } from './run-command.ts';

/** Does what the plans say, with the kernel's own tools. Each method may be repeated at any time. */
export class Kernel {
  readonly #run: RunCommand;
  readonly #logger: Logger;
  readonly #refusedSettings = new Set<string>();

  constructor(options: { run: RunCommand; logger: Logger }) {
    this.#run = options.run;
    this.#logger = options.logger;
  }

  /** The Pods' bridge and the kernel's settings. Resolves with the Pods' MTU. */
  async applyBridge(node: NodeNetwork, signal: AbortSignal): Promise<number> {
    const links = await this.#links(signal);
    const mtu = podMtu(links, node.nodeIp);
    await this.#batch('ip', bridgePlan(node, mtu, links), signal);
    await this.#set('net/ipv4/ip_forward', '1', 'Pods reach nothing outside of their node');
    await this.#set(`net/ipv4/conf/${bridgeDevice}/route_localnet`, '1', 'Services do not answer on 127.0.0.1');
    return mtu;
  }

  /** The ways to the Pods of other nodes. */
  async applyOverlay(node: NodeNetwork, mtu: number, peers: readonly Peer[], signal: AbortSignal): Promise<void> {
    const plan = overlayPlan(node, mtu, peers, await this.#overlayState(signal));
    await this.#batch('ip', plan.ip, signal);
    await this.#batch('bridge', plan.bridge, signal);
    if (peers.length > 0 && plan.ip.length > 0) {
      const setting = `net/ipv4/conf/${overlayDevice}/route_localnet`;
      await this.#set(setting, '1', 'Services whose Pods run elsewhere do not answer on 127.0.0.1');
    }
  }

  /** Tables of others that drop forwarded packets unless told otherwise, as Docker's does: those of Pods, too. */
  async forwardBlockers(signal: AbortSignal): Promise<readonly string[]> {
    const answer: unknown = JSON.parse(await this.#run('nft', ['-j', 'list', 'chains'], { signal }));
    // The form is nftables' own: libnftables-json(5).
    const { nftables } = answer as {
      nftables: { chain?: { family: string; table: string; hook?: string; policy?: string } }[];
    };
    return nftables.flatMap(({ chain }) => {
      const blocks = chain?.hook === 'forward' && chain.policy === 'drop' && ['ip', 'inet'].includes(chain.family);
      return blocks ? [`${chain.family} ${chain.table}`] : [];
    });
  }

  async #links(signal: AbortSignal): Promise<readonly Link[]> {
    return parseList(await this.#run('ip', ['-j', 'address', 'show'], { signal })) as Link[];
  }

  async #overlayState(signal: AbortSignal): Promise<OverlayState> {
    const links = await this.#links(signal);
    if (!links.some(({ ifname }) => ifname === overlayDevice)) {
      return { links, local: undefined, routes: [], neighbours: [], forwarding: [] };
    }
    const show = (command: string, ...args: string[]) =>
      this.#run(command, ['-j', ...args, 'dev', overlayDevice], { signal });
    const [details, routes, neighbours, forwarding] = await Promise.all([
      this.#run('ip', ['-j', '-d', 'link', 'show', overlayDevice], { signal }),
      show('ip', 'route', 'show'),
      show('ip', 'neighbour', 'show', 'nud', 'permanent'),
      show('bridge', 'fdb', 'show'),
    ]);
    const [detail] = parseList(details) as { linkinfo?: { info_data?: { local?: string } } }[];
    return {
      links,
      local: detail?.linkinfo?.info_data?.local,
      routes: parseList(routes) as OverlayState['routes'],
      neighbours: parseList(neighbours) as OverlayState['neighbours'],
      forwarding: parseList(forwarding) as OverlayState['forwarding'],
    };
  }

  async #batch(command: 'ip' | 'bridge', lines: readonly string[], signal: AbortSignal): Promise<void> {
    if (lines.length === 0) return;
    await this.#run(command, ['-batch', '-'], { input: `${lines.join('\n')}\n`, signal });
  }

  /** In a container /proc/sys may be read-only: then whoever made the container has to set it. */
  async #set(setting: string, value: string, otherwise: string): Promise<void> {
    const file = `/proc/sys/${setting}`;
    try {
      if ((await readFile(file, 'utf8')).trim() !== value) await writeFile(file, value);
      this.#refusedSettings.delete(setting);
    } catch (error) {
      if (this.#refusedSettings.has(setting)) return;
      this.#refusedSettings.add(setting);
      this.#logger.warn({ err: error, setting, wanted: value, otherwise }, 'a kernel setting could not be changed');
    }
  }
}

/** `ip -j` prints a list, or nothing at all. Its form is iproute2's own: the casts above say what is used of it. */
function parseList(text: string): readonly unknown[] {
  return text.trim() === '' ? [] : (JSON.parse(text) as unknown[]);
}
