import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, NftTable, PresentTable } from './nft-table.ts';
import { nftUpdate } from './nft-update.ts';
import { chainName, nodeTable } from './node-table.ts';
import type { Ruleset } from './service-plan.ts';
import { TableInMemory } from './table-in-memory.fixture.ts';

const node = {
  nodeName: 'n',
  nodeIp: '192.0.2.1',
  podCidr: '10.244.0.0/24',
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  clusterDns: '10.96.0.10',
};

/** Services by their last octet, each with its endpoints by theirs; one without any refuses. */
const ruleset = (services: Readonly<Record<number, readonly number[]>>): Ruleset => {
  const served = Object.entries(services).filter(([, endpoints]) => endpoints.length > 0);
  const refused = Object.entries(services).filter(([, endpoints]) => endpoints.length === 0);
  const balancer = (service: string) => `default/s${service}/tcp/80`;
  return {
    balancers: served.map(([service, endpoints]) => ({
      name: balancer(service),
      protocol: 'tcp',
      targets: endpoints.map((endpoint) => ({ ip: `10.244.0.${endpoint}`, port: 8080 })),
      byClient: false,
    })),
    clusterIps: served.map(([service]) => ({
      ip: `10.96.0.${service}`,
      protocol: 'tcp',
      port: 80,
      balancer: balancer(service),
    })),
    nodePorts: served.map(([service]) => ({
      protocol: 'tcp',
      port: 30_000 + Number(service),
      balancer: balancer(service),
    })),
    refusedPorts: refused.map(([service]) => ({ protocol: 'tcp', port: 30_000 + Number(service) })),
    hostPorts: [],
  };
};
const table = (services: Parameters<typeof ruleset>[0]) => nodeTable(ruleset(services), node);
const asRead = ({ chains, sets }: NftTable): PresentTable => ({
  chains: new Map([...chains].map(([name, { base }]) => [name, { base, rules: undefined }])),
  sets,
});
/** What each command does to what, without the details. */
const lines = (commands: readonly Json[]) =>
  commands.map((command) => {
    // Each command is {verb: {what: {name or chain …}}}.
    const [[verb, object] = ['', {}]] = Object.entries(command as Record<string, Record<string, Record<string, Json>>>);
    const [[what, { name, chain }] = ['', {}]] = Object.entries(object) as [string, Record<string, string>][];
    return `${verb} ${what} ${chain ?? name}`;
  });
const one = chainName('default/s1/tcp/80');
const two = chainName('default/s2/tcp/80');

describe('the commands that change a table', () => {
  test.each([
    { name: 'are none when it is as wanted', from: { 1: [5, 6] }, to: { 1: [5, 6] }, commands: [] },
    {
      name: 'give the Service another endpoint, and touch nothing else',
      from: { 1: [5, 6], 2: [7] },
      to: { 1: [5, 8], 2: [7] },
      commands: [`flush chain ${one}`, `add rule ${one}`, `add rule ${one}`],
    },
    {
      name: 'add a Service',
      from: { 1: [5] },
      to: { 1: [5], 2: [7] },
      commands: [`add chain ${two}`, `add rule ${two}`, 'add element cluster-ips', 'add element node-ports'],
    },
    {
      name: 'take the last endpoint: the Service refuses',
      from: { 1: [5], 2: [7] },
      to: { 1: [5], 2: [] },
      commands: [
        'delete element cluster-ips',
        'delete element node-ports',
        'add element refused-ports',
        `delete chain ${two}`,
      ],
    },
  ])('$name', ({ from, to, commands }) => {
    expect(lines(nftUpdate(table(from), table(to)))).toEqual(commands);
  });

  test('keep the table, its entrances and its elements when its rules are unknown', () => {
    const commands = lines(nftUpdate(asRead(table({ 1: [5], 2: [7] })), table({ 1: [5], 2: [8] })));
    expect(commands.filter((line) => !line.startsWith('add rule') && !line.startsWith('flush chain'))).toEqual([]);
    expect(commands).toContain('flush chain prerouting');
  });

  test.each([
    { name: 'there is none', present: () => undefined },
    {
      name: 'one of another version has an entrance elsewhere',
      present: (): PresentTable => {
        const { chains, sets } = asRead(table({ 1: [5] }));
        const moved = { base: { type: 'nat', hook: 'prerouting', prio: -90 }, rules: undefined };
        return { chains: new Map([...chains, ['prerouting', moved]]), sets };
      },
    },
  ])('make a whole table where $name', ({ present }) => {
    const commands = nftUpdate(present(), table({ 1: [5] }));
    expect(lines(commands).slice(0, 3)).toEqual(['add table navarch', 'delete table navarch', 'add table navarch']);
    expect(new TableInMemory().apply(commands)).toEqual(table({ 1: [5] }));
  });
});

test('a Service’s last rule needs no map, which is empty for packets that meet it while it is replaced', () => {
  const rules = table({ 1: [5, 6] }).chains.get(one)?.rules ?? [];
  expect(rules.map((rule) => JSON.stringify(rule).includes('"map"'))).toEqual([true, false]);
});

describe('from any table to any other', () => {
  const tables = fc
    .dictionary(fc.constantFrom('1', '2', '3'), fc.uniqueArray(fc.integer({ min: 2, max: 6 })))
    .map((services) => table(services));

  test('the kernel ends with the wanted one, and what stays is never away', () => {
    fc.assert(
      fc.property(tables, tables, fc.boolean(), (from, to, known) => {
        const kernel = new TableInMemory();
        kernel.apply(nftUpdate(undefined, from));
        const commands = nftUpdate(known ? from : asRead(from), to);
        expect(kernel.apply(commands)).toEqual(to);
        // A Service that is served before and after is so at each instant between.
        for (const [name, { elements }] of to.sets) {
          const stays = [...elements.keys()].filter((key) => from.sets.get(name)?.elements.has(key));
          expect(stays.filter((key) => kernel.removed.has(`${name} ${key}`))).toEqual([]);
        }
        expect([...to.chains.keys()].filter((name) => from.chains.has(name) && kernel.removed.has(name))).toEqual([]);
      }),
    );
  });
});
