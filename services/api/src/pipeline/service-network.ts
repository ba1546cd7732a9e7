import { ApiError } from '@navarch/machinery';
import type { Cidr } from '@navarch/kit';

/** Host numbers in the service network that no Service gets: the network itself, the first one, and the DNS server's. */
const reservedHosts: readonly number[] = [0, 1, 10];

/** The addresses that Services can have: an IPv4 network. */
export class ServiceNetwork {
  readonly text: string;
  readonly #first: number;
  readonly #size: number;

  constructor({ text, address, prefixLength, family }: Cidr) {
    if (family !== 4 || prefixLength > 28 || prefixLength < 8) {
      throw new ApiError('BadRequest', `the service network must be IPv4 with a prefix from /8 to /28, not ${text}`);
    }
    this.text = text;
    this.#first = numberOf(address);
    this.#size = 2 ** (32 - prefixLength);
  }

  /** Why an address can't be a Service's; undefined when it can. */
  problem(ip: string): string | undefined {
    const host = numberOf(ip) - this.#first;
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(ip) || host < 0 || host >= this.#size) return `${ip} must be in ${this.text}`;
    return this.#reserved(host) ? `${ip} is reserved for the cluster itself` : undefined;
  }

  /** A free address, looked for from a random place on; undefined when all are used. */
  choose(used: (ip: string) => boolean, random: () => number): string | undefined {
    const start = Math.floor(random() * this.#size);
    for (let i = 0; i < this.#size; i++) {
      const host = (start + i) % this.#size;
      const ip = textOf(this.#first + host);
      if (!this.#reserved(host) && !used(ip)) return ip;
    }
    return undefined;
  }

  #reserved(host: number): boolean {
    return reservedHosts.includes(host) || host === this.#size - 1;
  }
}

function numberOf(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
