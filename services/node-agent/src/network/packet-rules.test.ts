import { expect, test } from 'vitest';
import type { Json } from './nft-table.ts';
import { chainName } from './node-table.ts';
import { PacketRules } from './packet-rules.ts';
import type { RunCommand } from './run-command.ts';
import type { Ruleset } from './service-plan.ts';
import { TableInMemory } from './table-in-memory.fixture.ts';

const { signal } = new AbortController();
const node = {
  nodeName: 'n',
  nodeIp: '192.0.2.1',
  podCidr: '10.244.0.0/24',
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  clusterDns: '10.96.0.10',
};
const balancer = 'default/web/tcp/80';
const web = (...ips: string[]): Ruleset => ({
  balancers: [{ name: balancer, protocol: 'tcp', targets: ips.map((ip) => ({ ip, port: 80 })), byClient: false }],
  clusterIps: [{ ip: '10.96.0.20', protocol: 'tcp', port: 80, balancer }],
  nodePorts: [],
  refusedPorts: [],
  hostPorts: [],
});

/** nft with a kernel in memory. */
class Nft {
  readonly kernel = new TableInMemory();
  /** The verb and object of each command that was carried out. */
  readonly done: string[] = [];
  exists = false;
  breaksOff = false;

  readonly run: RunCommand = async (_, args, { input = '' }) => {
    if (args.includes('tables')) {
      return JSON.stringify({ nftables: this.exists ? [{ table: { family: 'ip', name: 'navarch' } }] : [] });
    }
    if (args.includes('list')) return this.kernel.list();
    const { nftables } = JSON.parse(input) as { nftables: Record<string, object>[] };
    if (!this.exists && !nftables.some(({ add }) => add !== undefined && 'table' in add)) throw new Error('no table');
    // What the agent sends is nftables' JSON.
    this.kernel.apply(nftables as Json[]);
    this.exists = true;
    for (const command of nftables)
      this.done.push(`${Object.keys(command)[0]} ${Object.keys(Object.values(command)[0] ?? {})[0]}`);
    if (this.breaksOff) throw new Error('killed');
    return '';
  };
}

test('an agent that starts again changes in place what the one before it left', async () => {
  const nft = new Nft();
  await new PacketRules(nft).apply(web('10.244.0.5'), node, signal);
  nft.done.length = 0;
  const next = new PacketRules(nft);
  expect(await next.apply(web('10.244.0.6'), node, signal)).toBe(true);
  expect(new Set(nft.done)).toEqual(new Set(['flush chain', 'add rule']));
  expect(await next.apply(web('10.244.0.6'), node, signal)).toBe(false);
});

test('a call that was broken off after its work is followed by one that finds it done', async () => {
  const nft = new Nft();
  const rules = new PacketRules(nft);
  nft.breaksOff = true;
  await expect(rules.apply(web('10.244.0.5'), node, signal)).rejects.toThrow('killed');
  nft.breaksOff = false;
  await rules.apply(web('10.244.0.6'), node, signal);
  expect(nft.done.filter((command) => command === 'add table')).toHaveLength(2);
});

test.each([
  { name: 'the whole table', harm: (nft: Nft) => (nft.exists = false) },
  {
    name: 'a chain’s rules',
    harm: ({ kernel }: Nft) => kernel.apply([{ flush: { chain: { name: chainName(balancer) } } }]),
  },
  {
    name: 'an element',
    harm: ({ kernel }: Nft) =>
      kernel.apply([{ delete: { element: { name: 'cluster-ips', elem: [[{ concat: ['10.96.0.20', 'tcp', 80] }]] } } }]),
  },
])('what somebody else removed comes back with the next audit: $name', async ({ harm }) => {
  const nft = new Nft();
  const rules = new PacketRules(nft);
  await rules.apply(web('10.244.0.5'), node, signal);
  const before = nft.kernel.list();
  await rules.audit(signal);
  expect(await rules.apply(web('10.244.0.5'), node, signal)).toBe(false);
  harm(nft);
  await rules.audit(signal);
  expect(await rules.apply(web('10.244.0.5'), node, signal)).toBe(true);
  expect(nft.kernel.list()).toEqual(before);
});
