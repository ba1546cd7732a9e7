/** An IPv4 address as a number, for arithmetic. Undefined when `text` is none. */
export function toNumber(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let number = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    number = number * 256 + Number(part);
  }
  return number;
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

export interface Network {
  /** The network's own address: the lowest. */
  readonly address: string;
  readonly prefixLength: number;
  readonly first: number;
  readonly size: number;
}

/** Throws when `cidr` is no IPv4 network: every caller's comes from a checked setting or field. */
export function parseNetwork(cidr: string): Network {
  const [address = '', length = ''] = cidr.split('/');
  const number = toNumber(address);
  const prefixLength = Number(length);
  if (number === undefined || !/^\d{1,2}$/.test(length) || prefixLength > 32) {
    throw new Error(`"${cidr}" is not an IPv4 network like 10.244.0.0/24`);
  }
  const size = 2 ** (32 - prefixLength);
  const first = number - (number % size);
  return { address: toAddress(first), prefixLength, first, size };
}

export function contains(network: Network, address: string): boolean {
  const number = toNumber(address);
  return number !== undefined && number >= network.first && number < network.first + network.size;
}

/** The address of a node's bridge, which is its Pods' gateway: the first one that a host can have. */
export function gatewayOf(podCidr: string): string {
  return toAddress(parseNetwork(podCidr).first + 1);
}
