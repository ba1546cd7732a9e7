import { isIP } from 'node:net';

/** Where to listen or whom to dial. `host` is a name or an IP address, without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The inverse of the `address` parser: `127.0.0.1:7400`, `[::1]:7400`. */
export function formatAddress({ host, port }: Address): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach a listener on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
