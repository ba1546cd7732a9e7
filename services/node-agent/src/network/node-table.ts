import { createHash } from 'node:crypto';
import { type Json, type NftChain, type NftElement, type NftTable, nftSet } from './nft-table.ts';
import { bridgeDevice, type NodeNetwork, overlayDevice } from './node-network.ts';
import type { Balancer, Protocol, Ruleset, Target } from './service-plan.ts';

/** The whole table of a node. */
export function nodeTable(ruleset: Ruleset, node: NodeNetwork): NftTable {
  const { clusterIps, nodePorts, hostPorts, refusedPorts } = ruleset;
  const leadTo = (target: string, ...key: NftElement['key']): NftElement => ({ key, target });
  const byAddress = clusterIps.map(({ ip: address, protocol, port, balancer }) =>
    leadTo(chainName(balancer), address, protocol, port),
  );
  const byPort = [
    ...nodePorts.map(({ protocol, port, balancer }) => leadTo(chainName(balancer), protocol, port)),
    ...hostPorts.map(({ protocol, port }) => leadTo(hostPortChain(protocol, port), protocol, port)),
  ];
  const refused = refusedPorts.map(({ protocol, port }): NftElement => ({ key: [protocol, port], target: undefined }));
  return {
    chains: new Map([
      ...ruleset.balancers.map(balancerChain),
      ...hostPorts.map(hostPortRules),
      ...translation(node),
      ...masquerading(node),
      ...filters(node),
    ]),
    sets: new Map([
      ['cluster-ips', nftSet(['ipv4_addr', 'inet_proto', 'inet_service'], byAddress, true)],
      ['node-ports', nftSet(['inet_proto', 'inet_service'], byPort, true)],
      ['refused-ports', nftSet(['inet_proto', 'inet_service'], refused, false)],
    ]),
  };
}

/** A chain's name: nftables allows neither slashes nor long names. */
export function chainName(balancer: string): string {
  return `svc-${createHash('sha256').update(balancer).digest('hex').slice(0, 16)}`;
}

type NamedChain = readonly [name: string, chain: NftChain];

function balancerChain({ name, protocol, targets, byClient }: Balancer): NamedChain {
  const mod = targets.length;
  const key: Json = byClient ? { jhash: { mod, expr: ip('saddr') } } : { numgen: { mode: 'random', mod, offset: 0 } };
  const data = { set: targets.map((target, index) => [index, concat(target)]) };
  const [first] = targets;
  const forward = (to: Json) => rule([is(l4proto, protocol), { dnat: to }], name);
  return [
    chainName(name),
    chain([
      ...(mod > 1 ? [forward({ addr: { map: { key, data } } })] : []),
      // A packet that is on its way through the rules while they are replaced still meets the old rule but, from then on,
      // an empty map: it would leave untranslated and be refused. It takes this one, which needs no map.
      ...(first === undefined ? [] : [forward({ addr: first.ip, port: first.port })]),
    ]),
  ];
}

function hostPortRules({ protocol, port, to }: Ruleset['hostPorts'][number]): NamedChain {
  const forward = rule([is(l4proto, protocol), { dnat: { addr: to.ip, port: to.port } }]);
  return [hostPortChain(protocol, port), chain([forward])];
}

function translation(node: NodeNetwork): readonly NamedChain[] {
  const toService = { vmap: { key: { concat: [ip('daddr'), l4proto, destinationPort] }, data: '@cluster-ips' } };
  const toNode = [
    isNot(ip('daddr'), prefix(node.serviceCidr)),
    is({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
    { vmap: { key: { concat: [l4proto, destinationPort] }, data: '@node-ports' } },
  ];
  const enter = rule([{ jump: { target: 'services' } }]);
  return [
    ['services', chain([rule([toService]), rule(toNode)])],
    // Packets from elsewhere and from Pods pass prerouting; those of the node's own processes, output.
    ['prerouting', baseChain('nat', 'prerouting', -100, [enter])],
    ['output', baseChain('nat', 'output', -100, [enter])],
  ];
}

/** Gives a packet the node's own address as its source where the answer would otherwise miss this node. */
function masquerading(node: NodeNetwork): readonly NamedChain[] {
  const translated = within({ ct: { key: 'status' } }, 'dnat');
  const outOf = (...devices: string[]) => isNot(oifname, { set: devices });
  const rules = [
    // Two Pods of one bridge (or one Pod and itself): the answer would take the short way across the bridge, past us.
    rule([translated, is(ip('saddr'), prefix(node.podCidr)), is(oifname, bridgeDevice), masquerade]),
    // From the loopback address: nobody else can answer there.
    rule([translated, is(ip('saddr'), prefix('127.0.0.0/8')), isNot(oifname, 'lo'), masquerade]),
    // From outside to a Pod of another node, which would answer by its own way out.
    rule([translated, isNot(ip('saddr'), prefix(node.clusterCidr)), outOf('lo', bridgeDevice), masquerade]),
    // From a Pod to the world, which doesn't know the Pods' addresses.
    rule([
      is(ip('saddr'), prefix(node.podCidr)),
      isNot(ip('daddr'), prefix(node.clusterCidr)),
      outOf('lo', bridgeDevice, overlayDevice),
      masquerade,
    ]),
  ];
  return [['postrouting', baseChain('nat', 'postrouting', 100, rules)]];
}

function filters(node: NodeNetwork): readonly NamedChain[] {
  const refused: Json[] = [
    is({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
    is({ concat: [l4proto, destinationPort] }, '@refused-ports'),
  ];
  // What still has a Service's address when translation is done has no endpoint.
  const unserved: Json[] = [is(ip('daddr'), prefix(node.serviceCidr)), isNot(ip('daddr'), node.clusterDns)];
  const refuse = (matches: readonly Json[]) => [
    rule([...matches, is(l4proto, 'tcp'), { reject: { type: 'tcp reset' } }]),
    rule([...matches, { reject: { type: 'icmp', expr: 'port-unreachable' } }]),
  ];
  // route_localnet lets answers to 127.0.0.1 come back through the bridge; nothing else may come in that way.
  const martians = [
    rule([isNot(iifname, 'lo'), is(ip('daddr'), prefix('127.0.0.0/8')), { drop: null }]),
    // The name server hands on whatever it is asked: only Pods and the node itself may ask.
    rule([isNot(iifname, { set: ['lo', bridgeDevice] }), is(ip('daddr'), node.clusterDns), { drop: null }]),
  ];
  return [
    ['input', baseChain('filter', 'input', 0, refuse(refused))],
    ['forward', baseChain('filter', 'forward', 0, refuse(unserved))],
    ['local-output', baseChain('filter', 'output', 0, [...refuse(refused), ...refuse(unserved)])],
    ['martians', baseChain('filter', 'prerouting', -300, martians)],
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

type Rule = NftChain['rules'][number];

function rule(expr: readonly Json[], comment?: string): Rule {
  // nftables allows 128 bytes of comment, less its end.
  return { expr, ...(comment !== undefined && { comment: comment.slice(0, 120) }) };
}

function chain(rules: readonly Rule[]): NftChain {
  return { base: undefined, rules };
}

function baseChain(type: string, hook: string, prio: number, rules: readonly Rule[]): NftChain {
  return { base: { type, hook, prio }, rules };
}
