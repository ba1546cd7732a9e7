import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, execute, startCluster } from './cluster.ts';
import { httpStatus } from './http.ts';
import type { List, PodJson, ServiceJson } from './shapes.ts';

/** What a cluster could leave behind on a machine. */
async function traces(cluster: Cluster): Promise<Record<string, string[]>> {
  const lines = async (file: string, ...args: string[]) => {
    const finished = await execute(file, args);
    if (finished.code !== 0) throw new Error(`${file} ${args.join(' ')}: ${finished.stderr}`);
    return finished.stdout.split('\n').filter(Boolean);
  };
  const run = cluster.env['NAVARCH_RUN'] ?? '';
  const own = (line: string) => line.includes(cluster.home) || line.includes(run);
  const network = readlinkSync('/proc/self/ns/net');
  const here = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`) === network;
    } catch {
      return false; // it has ended meanwhile
    }
  };
  return {
    processes: (await lines('ps', '-eo', 'pid=,args=')).filter((line) => {
      const [pid = ''] = line.trim().split(/\s+/);
      return own(line) || (/containerd-shim|services\/.*\/dist\/main/.test(line) && here(pid));
    }),
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n').filter(own),
    devices: (await lines('ip', '-o', 'link')).filter((line) => /\b(nav|veth|cni)/.test(line)),
    tables: (await lines('nft', 'list', 'tables')).filter((line) => line.includes('navarch')),
  };
}

const nothing = { processes: [], mounts: [], devices: [], tables: [] };

describe('npm start, stop and reset', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ example: true });
  });
  afterAll(() => cluster?.remove());

  const address = async () =>
    (await cluster.json<ServiceJson>('get', 'service', 'nginx-service')).status?.loadBalancer?.ingress?.[0]?.ip;

  test('a second start finds the cluster running and changes nothing', async () => {
    const before = cluster.pid('api');
    expect(await cluster.start()).toContain('already');
    expect(cluster.pid('api')).toBe(before);
  });

  test('stop leaves no process, mount, network device or firewall table behind', async () => {
    const running = await traces(cluster);
    for (const found of Object.values(running)) expect(found).not.toEqual([]); // what is looked for can be seen
    await cluster.stop();
    expect(await traces(cluster)).toEqual(nothing);
  });

  test('state survives: the same objects run again after the next start', async () => {
    const printed = await cluster.start();
    expect(printed).toContain('http://');
    const pods = await cluster.json<List<PodJson>>('get', 'pods');
    expect(pods.items.filter(({ metadata }) => metadata.name.startsWith('nginx-deployment-'))).toHaveLength(3);
    expect(await httpStatus(`http://${await address()}/`)).toBe(200);
  });

  test('reset removes the state', async () => {
    const { home } = cluster;
    await cluster.remove();
    expect(existsSync(home)).toBe(false);
    expect(await traces(cluster)).toEqual(nothing);
  });
});
