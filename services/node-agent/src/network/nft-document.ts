import { createHash } from 'node:crypto';
import { bridgeDevice, type NodeNetwork, overlayDevice, rulesTable } from './node-network.ts';
import type { Balancer, Protocol, Ruleset, Target } from './service-plan.ts';

/** One of nftables' JSON values. Source: libnftables-json(5). */
type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

const table = { family: rulesTable.family, table: rulesTable.name };

/**
 * The whole table as one document for `nft -j -f -`. It replaces the table in one transaction of the kernel: no packet
 * meets half of it, and connections that are under way keep their translation, which connection tracking remembers.
 */
export function nftDocument(ruleset: Ruleset, node: NodeNetwork): { readonly nftables: readonly Json[] } {
  const { family, name } = rulesTable;
  return {
    nftables: [
      // Deleting what isn't there is an error; adding what is there isn't.
      { add: { table: { family, name } } },
      { delete: { table: { family, name } } },
      { add: { table: { family, name } } },
      ...ruleset.balancers.flatMap(balancerChain),
      ...translation(ruleset, node),
      ...masquerading(node),
      ...filters(ruleset, node),
    ],
  };
}

/** A chain's name: nftables allows neither slashes nor long names. */
export function chainName(balancer: string): string {
  return `svc-${createHash('sha256').update(balancer).digest('hex').slice(0, 16)}`;
}

function balancerChain({ name, protocol, targets, byClient }: Balancer): Json[] {
  const mod = targets.length;
  const key: Json = byClient ? { jhash: { mod, expr: ip('saddr') } } : { numgen: { mode: 'random', mod, offset: 0 } };
  const data = { set: targets.map((target, index) => [index, concat(target)]) };
  return [
    { add: { chain: { ...table, name: chainName(name) } } },
    rule(chainName(name), [is(l4proto, protocol), { dnat: { addr: { map: { key, data } } } }], name),
  ];
}

function translation({ clusterIps, nodePorts, hostPorts }: Ruleset, node: NodeNetwork): Json[] {
  const toNode = (map: string): Json[] => [
    isNot(ip('daddr'), prefix(node.serviceCidr)),
    is({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
    { vmap: { key: { concat: [l4proto, destinationPort] }, data: `@${map}` } },
  ];
  const hostPortChains = hostPorts.flatMap(({ protocol, port, to }) => [
    { add: { chain: { ...table, name: hostPortChain(protocol, port) } } },
    rule(hostPortChain(protocol, port), [is(l4proto, protocol), { dnat: { addr: to.ip, port: to.port } }]),
  ]);
  return [
    ...hostPortChains,
    verdictMap(
      'cluster-ips',
      ['ipv4_addr', 'inet_proto', 'inet_service'],
      clusterIps.map((entry) => [[entry.ip, entry.protocol, entry.port], chainName(entry.balancer)]),
    ),
    verdictMap(
      'node-ports',
      ['inet_proto', 'inet_service'],
      [
        ...nodePorts.map((entry): MapElement => [[entry.protocol, entry.port], chainName(entry.balancer)]),
        ...hostPorts.map(
          (entry): MapElement => [[entry.protocol, entry.port], hostPortChain(entry.protocol, entry.port)],
        ),
      ],
    ),
    { add: { chain: { ...table, name: 'services' } } },
    rule('services', [{ vmap: { key: { concat: [ip('daddr'), l4proto, destinationPort] }, data: '@cluster-ips' } }]),
    rule('services', toNode('node-ports')),
    // Packets from elsewhere and from Pods pass prerouting; those of the node's own processes, output.
    ...baseChain('prerouting', 'nat', 'prerouting', -100, [[{ jump: { target: 'services' } }]]),
    ...baseChain('output', 'nat', 'output', -100, [[{ jump: { target: 'services' } }]]),
  ];
}

/** Gives a packet the node's own address as its source where the answer would otherwise miss this node. */
function masquerading(node: NodeNetwork): Json[] {
  const translated = within({ ct: { key: 'status' } }, 'dnat');
  const outOf = (...devices: string[]) => isNot(oifname, { set: devices });
  return baseChain('postrouting', 'nat', 'postrouting', 100, [
    // Two Pods of one bridge (or one Pod and itself): the answer would take the short way across the bridge, past us.
    [translated, is(ip('saddr'), prefix(node.podCidr)), is(oifname, bridgeDevice), masquerade],
    // From the loopback address: nobody else can answer there.
    [translated, is(ip('saddr'), prefix('127.0.0.0/8')), isNot(oifname, 'lo'), masquerade],
    // From outside to a Pod of another node, which would answer by its own way out.
    [translated, isNot(ip('saddr'), prefix(node.clusterCidr)), outOf('lo', bridgeDevice), masquerade],
    // From a Pod to the world, which doesn't know the Pods' addresses.
    [
      is(ip('saddr'), prefix(node.podCidr)),
      isNot(ip('daddr'), prefix(node.clusterCidr)),
      outOf('lo', bridgeDevice, overlayDevice),
      masquerade,
    ],
  ]);
}

function filters({ refusedPorts }: Ruleset, node: NodeNetwork): Json[] {
  const elem = refusedPorts.map(({ protocol, port }) => ({ concat: [protocol, port] }));
  const refused: Json[] = [
    is({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
    is({ concat: [l4proto, destinationPort] }, '@refused-ports'),
  ];
  // What still has a Service's address when translation is done has no endpoint.
  const unserved: Json[] = [is(ip('daddr'), prefix(node.serviceCidr)), isNot(ip('daddr'), node.clusterDns)];
  const refuse = (matches: readonly Json[]): Json[][] => [
    [...matches, is(l4proto, 'tcp'), { reject: { type: 'tcp reset' } }],
    [...matches, { reject: { type: 'icmp', expr: 'port-unreachable' } }],
  ];
  const set = {
    ...table,
    name: 'refused-ports',
    type: ['inet_proto', 'inet_service'],
    ...(elem.length > 0 && { elem }),
  };
  return [
    { add: { set } },
    ...baseChain('input', 'filter', 'input', 0, refuse(refused)),
    ...baseChain('forward', 'filter', 'forward', 0, refuse(unserved)),
    ...baseChain('local-output', 'filter', 'output', 0, [...refuse(refused), ...refuse(unserved)]),
    // route_localnet lets answers to 127.0.0.1 come back through the bridge; nothing else may come in that way.
    ...baseChain('martians', 'filter', 'prerouting', -300, [
      [isNot(iifname, 'lo'), is(ip('daddr'), prefix('127.0.0.0/8')), { drop: null }],
      // The name server hands on whatever it is asked: only Pods and the node itself may ask.
      [isNot(iifname, { set: ['lo', bridgeDevice] }), is(ip('daddr'), node.clusterDns), { drop: null }],
    ]),
  ];
}

const l4proto = { meta: { key: 'l4proto' } } as const;
const iifname = { meta: { key: 'iifname' } } as const;
const oifname = { meta: { key: 'oifname' } } as const;
const destinationPort = { payload: { protocol: 'th', field: 'dport' } } as const;
const masquerade = { masquerade: null } as const;

const ip = (field: 'saddr' | 'daddr') => ({ payload: { protocol: 'ip', field } });
const is = (left: Json, right: Json) => ({ match: { op: '==', left, right } });
const isNot = (left: Json, right: Json) => ({ match: { op: '!=', left, right } });
const within = (left: Json, right: Json) => ({ match: { op: 'in', left, right } });
const concat = ({ ip: address, port }: Target) => ({ concat: [address, port] });

function prefix(cidr: string): Json {
  const [addr = '', len] = cidr.split('/');
  return { prefix: { addr, len: Number(len) } };
}

function hostPortChain(protocol: Protocol, port: number): string {
  return `host-${protocol}-${port}`;
}

function rule(chain: string, expr: readonly Json[], comment?: string): Json {
  // nftables allows 128 bytes of comment, less its end.
  return { add: { rule: { ...table, chain, expr, ...(comment !== undefined && { comment: comment.slice(0, 120) }) } } };
}

function baseChain(
  name: string,
  type: string,
  hook: string,
  prio: number,
  rules: readonly (readonly Json[])[],
): Json[] {
  const chain = { ...table, name, type, hook, prio, policy: 'accept' };
  return [{ add: { chain } }, ...rules.map((expr) => rule(name, expr))];
}

type MapElement = readonly [key: readonly Json[], chain: string];

function verdictMap(name: string, type: readonly string[], elements: readonly MapElement[]): Json {
  const elem = elements.map(([key, target]) => [{ concat: key }, { goto: { target } }]);
  return { add: { map: { ...table, name, type, map: 'verdict', ...(elem.length > 0 && { elem }) } } };
}
