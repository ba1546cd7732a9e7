/** What the network of one node is built from. Addresses are IPv4, networks in CIDR notation. */
export interface NodeNetwork {
  readonly nodeName: string;
  /** The address by which other nodes reach this one. */
  readonly nodeIp: string;
  /** The addresses of this node's Pods: the Node's spec.podCIDR. */
  readonly podCidr: string;
  /** The addresses of all Pods. */
  readonly clusterCidr: string;
  /** The addresses of all Services. */
  readonly serviceCidr: string;
  /** The address in `serviceCidr` at which each node's agent answers names. */
  readonly clusterDns: string;
}

/** The devices. Each node has at most one of each; whoever stops a node removes them by these names. */
export const bridgeDevice = 'nav0';
export const overlayDevice = 'navx0';

/** The table of packet rules, and its family. */
export const rulesTable = { family: 'ip', name: 'navarch' } as const;
