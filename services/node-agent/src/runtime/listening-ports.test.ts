import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { listeningPorts } from './listening-ports.ts';

const title = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

test.each([
  { name: 'nothing', lines: '', ports: [] },
  { name: 'any address', lines: '   0: 00000000:0050 00000000:0000 0A 0 0 0\n', ports: [80] },
  { name: 'an address of its own', lines: '   0: 0200F40A:1F90 00000000:0000 0A 0 0 0\n', ports: [8080] },
  { name: 'an open connection', lines: '   0: 0200F40A:0050 0100F40A:9C40 01 0 0 0\n', ports: [] },
  { name: 'loopback', lines: '   0: 0100007F:0050 00000000:0000 0A 0 0 0\n', ports: [] },
  {
    name: 'any IPv6 address',
    lines: '   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0 0 0\n',
    ports: [443],
  },
  {
    name: 'IPv6 loopback',
    lines: '   0: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 0 0 0\n',
    ports: [],
  },
  {
    name: 'IPv4 loopback as IPv6',
    lines: '   0: 0000000000000000FFFF00000100007F:01BB 00000000000000000000000000000000:0000 0A 0 0 0\n',
    ports: [],
  },
])('$name: $ports', ({ lines, ports }) => {
  expect(listeningPorts(title + lines)).toEqual(ports);
});

test("finds a real listener in the kernel's own table", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  try {
    const { port } = server.address() as AddressInfo; // a TCP server's address is an AddressInfo
    expect(listeningPorts(await readFile('/proc/self/net/tcp', 'utf8'))).toContain(port);
  } finally {
    server.close();
  }
});
