import { parseNetwork } from './address.ts';
import { hardwareAddress, type Link } from './devices.ts';
import { type NodeNetwork, overlayDevice } from './node-network.ts';

/** Another node, as far as the overlay needs it. */
export interface Peer {
  readonly nodeIp: string;
  readonly podCidr: string;
}

/** What the kernel has now; from `ip -j` and `bridge -j`. */
export interface OverlayState {
  readonly links: readonly Link[];
  /** The overlay device's own end, if it exists. */
  readonly local: string | undefined;
  readonly routes: readonly { readonly dst: string; readonly gateway?: string }[];
  readonly neighbours: readonly { readonly dst: string; readonly lladdr?: string }[];
  readonly forwarding: readonly { readonly mac: string; readonly dst?: string }[];
}

/** Lines for `ip -batch -` and, after them, for `bridge -batch -`. */
export interface OverlayPlan {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

/** The network identifier and the port that IANA assigned to VXLAN (RFC 7348). */
const networkId = 1;
const overlayPort = 4789;

/**
 * Makes the Pods of other nodes reachable: one VXLAN device, and for each other node a route, a neighbour and a
 * forwarding entry. All of them follow from the Nodes' addresses and ranges alone, so nothing is flooded or learned, and
 * nodes need no word with one another. Without other nodes there is no device.
 */
export function overlayPlan(node: NodeNetwork, mtu: number, peers: readonly Peer[], state: OverlayState): OverlayPlan {
  const exists = state.links.some(({ ifname }) => ifname === overlayDevice);
  if (peers.length === 0) return { ip: exists ? [`link del ${overlayDevice}`] : [], bridge: [] };

  const keep = exists && state.local === node.nodeIp;
  const own = parseNetwork(node.podCidr).address;
  const device = [
    ...(exists && !keep ? [`link del ${overlayDevice}`] : []),
    `link add ${overlayDevice} address ${hardwareAddress(own)} mtu ${mtu} type vxlan id ${networkId} local ${node.nodeIp} dstport ${overlayPort} nolearning`,
    `address add ${own}/32 dev ${overlayDevice}`,
    `link set ${overlayDevice} up`,
  ];
  const { routes, neighbours, forwarding } = keep ? state : { routes: [], neighbours: [], forwarding: [] };

  const ways = peers.map(({ nodeIp, podCidr }) => {
    const far = parseNetwork(podCidr).address;
    return { nodeIp, podCidr, far, mac: hardwareAddress(far) };
  });
  const has = <T>(items: readonly T[], test: (item: T) => boolean) => items.some(test);
  const missing = ways.flatMap(({ podCidr, far, mac }) => [
    ...(has(neighbours, ({ dst, lladdr }) => dst === far && lladdr === mac)
      ? []
      : [`neighbour replace ${far} lladdr ${mac} dev ${overlayDevice} nud permanent`]),
    ...(has(routes, ({ dst, gateway }) => dst === podCidr && gateway === far)
      ? []
      : [`route replace ${podCidr} via ${far} dev ${overlayDevice} onlink`]),
  ]);
  const stale = [
    ...routes
      .filter(({ dst }) => dst.includes('/') && !has(ways, ({ podCidr }) => podCidr === dst))
      .map(({ dst }) => `route del ${dst} dev ${overlayDevice}`),
    ...neighbours
      .filter(({ dst, lladdr }) => lladdr !== undefined && !has(ways, ({ far }) => far === dst))
      .map(({ dst }) => `neighbour del ${dst} dev ${overlayDevice}`),
  ];
  return {
    ip: [...(keep ? [] : device), ...stale, ...missing],
    bridge: [
      ...forwarding
        .filter(({ mac, dst }) => dst !== undefined && !has(ways, (way) => way.mac === mac))
        .map(({ mac, dst }) => `fdb del ${mac} dev ${overlayDevice} dst ${dst} self`),
      ...ways
        .filter(({ mac, nodeIp }) => !has(forwarding, (entry) => entry.mac === mac && entry.dst === nodeIp))
        .map(({ mac, nodeIp }) => `fdb replace ${mac} dev ${overlayDevice} dst ${nodeIp} self permanent`),
    ],
  };
}
