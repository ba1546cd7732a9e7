/** The state of a listening socket in /proc/net/tcp (TCP_LISTEN in the kernel's include/net/tcp_states.h). */
const listenState = '0A';

/**
 * The ports that something listens on beyond loopback, by the text of /proc/<pid>/net/tcp or tcp6: each line has the local
 * address as hexadecimal words in host byte order, a colon and the port, and in its fourth column the state
 * (Documentation/networking/proc_net_tcp.rst).
 */
export function listeningPorts(table: string): number[] {
  const ports: number[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (state !== listenState || local === undefined) continue;
    const [address = '', port = ''] = local.split(':');
    if (!isLoopback(address)) ports.push(Number.parseInt(port, 16));
  }
  return ports;
}

/** 127.0.0.0/8, ::1, and 127.0.0.0/8 as an IPv6 address; words are little-endian on every machine that nodes run on. */
function isLoopback(address: string): boolean {
  if (address.length === 8) return address.endsWith('7F');
  return address === '00000000000000000000000001000000' || /^0{16}FFFF0000.{6}7F$/.test(address);
}
