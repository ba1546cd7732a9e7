import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';

/** The /etc/hosts of a Pod with a network of its own: it knows itself by name. */
export function ownHosts(ip: string, names: readonly string[]): string {
  const lines = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback', `${ip}\t${names.join(' ')}`];
  return `${lines.join('\n')}\n`;
}

/** `base` with the Pod's aliases behind it. */
export function hostsFile({ spec }: Live<Pod>, base: string): string {
  const aliases = spec.hostAliases.map(({ ip, hostnames }) => `${ip}\t${hostnames.join(' ')}\n`);
  return `${base}${base === '' || base.endsWith('\n') ? '' : '\n'}${aliases.join('')}`;
}
