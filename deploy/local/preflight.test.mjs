import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from './config.mjs';
import { checkPorts, portOwner } from './preflight.mjs';

/** @type {import('node:net').Server} */
let server;
/** @type {number} */
let port;
beforeEach(async () => {
  server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
});
afterEach(() => {
  server.close();
});

test('tells who listens on a port', async () => {
  expect(await portOwner(port)).toContain(`(process ${process.pid})`);
});

test('a taken port is told with its process, and the flag and variable that change it', async () => {
  const without = ['nats', 'registry', 'api', 'scheduler', 'controller-manager', 'gateway', 'node-agent'].join(',');
  const config = readConfig(['--without', without, '--etcd-port', String(port)], {});
  await expect(checkPorts(config)).rejects.toThrow(
    new RegExp(
      `^Port ${port}, which etcd needs, is taken by .*process ${process.pid}.*\n.*--etcd-port or NAVARCH_ETCD_PORT`,
    ),
  );
});

test('a part that is left out needs no port', async () => {
  const without = ['etcd', 'nats', 'registry', 'api', 'scheduler', 'controller-manager', 'gateway', 'node-agent'].join(
    ',',
  );
  await expect(
    checkPorts(readConfig(['--without', without, '--etcd-port', String(port)], {})),
  ).resolves.toBeUndefined();
});

test('one port for two parts is refused', async () => {
  await expect(checkPorts(readConfig(['--etcd-port', '7430'], {}))).rejects.toThrow(/given to both etcd and nats/);
});
