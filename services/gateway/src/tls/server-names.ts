import { hostname, networkInterfaces } from 'node:os';

/** The Service `kubernetes` in the namespace default: what programs in Pods call the api. */
const inCluster = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/** All names and addresses that this machine's gateway is known by, and those that it was told of. */
export function serverNames(more: readonly string[]): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
  // Of a link alone, and with the link's name behind it, which no certificate can say.
  const shown = addresses.filter((address) => !address.toLowerCase().startsWith('fe80'));
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...shown, ...inCluster, ...more])];
}
