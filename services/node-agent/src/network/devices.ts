import { gatewayOf, parseNetwork } from './address.ts';
import { bridgeDevice, type NodeNetwork } from './node-network.ts';

/** One device, as `ip -j address` prints it; only what is used here. */
export interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info: readonly { readonly family: string; readonly local?: string; readonly prefixlen?: number }[];
}

/** What VXLAN puts around each packet. Source: RFC 7348: 8 bytes, and the outer UDP, IPv4 and Ethernet headers. */
const overlayHeaderBytes = 50;

/**
 * The largest packet that Pods send: what fits the device by which nodes reach one another, less the overlay's header,
 * also on a lone node, so that no Pod needs a new device when a second node comes.
 */
export function podMtu(links: readonly Link[], nodeIp: string): number {
  const device = links.find(
    ({ ifname, addr_info }) => ifname !== 'lo' && addr_info.some(({ local }) => local === nodeIp),
  );
  return (device?.mtu ?? 1500) - overlayHeaderBytes;
}

/**
 * Lines for `ip -batch -` that make the bridge as it must be: the Pods' gateway, with the name server's address, and the
 * way on which the node's own processes reach Services. Empty when it already is.
 */
export function bridgePlan(node: NodeNetwork, mtu: number, links: readonly Link[]): readonly string[] {
  const { prefixLength } = parseNetwork(node.podCidr);
  const gateway = gatewayOf(node.podCidr);
  const wanted = [`${gateway}/${prefixLength}`, `${node.clusterDns}/32`];
  const link = links.find(({ ifname }) => ifname === bridgeDevice);
  const present = (link?.addr_info ?? [])
    .filter(({ family }) => family === 'inet')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  const create = [
    // A fixed hardware address: a bridge otherwise takes that of a port, and changes it as Pods come and go.
    `link add ${bridgeDevice} address ${hardwareAddress(gateway)} type bridge`,
    `link set ${bridgeDevice} mtu ${mtu}`,
  ];
  return [
    ...(link === undefined ? create : []),
    ...present
      .filter((address) => !wanted.includes(address))
      .map((address) => `address del ${address} dev ${bridgeDevice}`),
    ...wanted
      .filter((address) => !present.includes(address))
      .map((address) => `address add ${address} dev ${bridgeDevice}`),
    `link set ${bridgeDevice} up`,
    `route replace ${node.serviceCidr} dev ${bridgeDevice} src ${gateway}`,
  ];
}

/** A locally administered hardware address that everybody can work out from an IPv4 address. */
export function hardwareAddress(ip: string): string {
  const bytes = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `0a:4e:${bytes.join(':')}`;
}
