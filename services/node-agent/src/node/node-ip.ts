import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

/**
 * The address by which others reach this machine: the source address of its default route, else its first address that is
 * not of the machine's own loopback, else loopback, where only one machine is a cluster.
 */
export async function ownAddress(): Promise<string> {
  const routed = await promisify(execFile)('ip', ['-json', '-4', 'route', 'get', '192.0.2.1'])
    .then(({ stdout }) => prefsrc(stdout))
    .catch(() => undefined);
  if (routed !== undefined) return routed;
  const addresses = Object.entries(networkInterfaces()).flatMap(([device, entries]) =>
    (entries ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal && !device.startsWith('nav')),
  );
  return addresses[0]?.address ?? '127.0.0.1';
}

function prefsrc(json: string): string | undefined {
  // What `ip -json route get` prints; only this member is used.
  const [route] = JSON.parse(json) as { prefsrc?: string }[];
  return route?.prefsrc;
}
