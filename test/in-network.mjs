// Runs a command in a network namespace of its own, so that a cluster in it has ports, devices and firewall tables for
// itself: `node test/in-network.mjs <command> [arguments]`. Ends with the command's exit code.
import { execFileSync, spawn } from 'node:child_process';

/** The namespace's own address: 192.0.2.0/24 is set aside for documentation and tests (RFC 5737). */
const address = '192.0.2.10/24';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('usage: node test/in-network.mjs <command> [arguments]');
  process.exit(2);
}
const name = `navtest-${process.pid}`;
const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });

ip('netns', 'add', name);
let child;
try {
  ip('-n', name, 'link', 'set', 'lo', 'up');
  ip('-n', name, 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'nowhere');
  ip('-n', name, 'link', 'set', 'nowhere', 'up');
  ip('-n', name, 'address', 'add', address, 'dev', 'uplink');
  ip('-n', name, 'link', 'set', 'uplink', 'up');
  ip('-n', name, 'route', 'add', 'default', 'dev', 'uplink');
  child = spawn('nsenter', [`--net=/run/netns/${name}`, command, ...args], {
    stdio: 'inherit',
    env: { ...process.env, NAVARCH_TEST_NETWORK: name },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
} finally {
  ip('netns', 'delete', name);
}
