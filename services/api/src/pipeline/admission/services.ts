import { isIPv4 } from 'node:net';
import { nodePortRange, service as serviceKind } from '@navarch/kinds';
import { ApiError, type FieldError } from '@navarch/machinery';
import type { Service, ServicePort, ServiceSpec } from '@navarch/proto';
import type { Operation } from '@navarch/store';
import type { CachedObject } from '../../cache/cached-object.ts';
import type { Circumstances } from '../write.ts';
import type { Admitted, Link, Step } from './link.ts';

/**
 * A Service's address and node ports. Each one in use is a key of its own beside the objects, made and removed in the
 * Service's own transaction: two writers, also of two api replicas, can't give out the same one.
 */
const allocationPrefix = '/navarch-allocations';

/** Fills in what a Service needs and was not given, keeps what it had, and gives back what it no longer needs. */
export const services: Link = {
  admit: (step) => (step.kind.case === serviceKind.case ? admitService(step) : undefined),
  release: (_, going) =>
    going.kind.case === serviceKind.case ? { ops: deletions(claimsOf(specOf(going)).keys()) } : undefined,
};

function admitService({ circumstances, next, previous }: Step): Admitted | undefined {
  const spec = (next as Service).spec; // the caller has looked at the kind
  if (spec === undefined) return undefined;
  const before = previous === undefined ? undefined : specOf(previous);
  const used = new UsedClaims(circumstances, previous?.key);
  const wanted: ServiceSpec = { ...spec, clusterIp: clusterIp(circumstances, spec, before, used) };
  wanted.ports = nodePorts(circumstances, wanted, before, used);
  next.spec = wanted;

  const had = claimsOf(before);
  const claims = claimsOf(wanted);
  const fresh = [...claims].filter(([key]) => !had.has(key));
  const owner = Buffer.from(`${next.metadata.namespace}/${next.metadata.name}`, 'utf8');
  return {
    errors: fresh.flatMap(([key, field]) => used.conflict(key, field) ?? []),
    compare: fresh.map(([key]) => ({ key, modRevision: 0n })),
    ops: [
      ...fresh.map(([key]): Operation => ({ type: 'put', key, value: owner })),
      ...deletions([...had.keys()].filter((key) => !claims.has(key))),
    ],
  };
}

function deletions(keys: Iterable<string>): Operation[] {
  return [...keys].map((key) => ({ type: 'delete', key }));
}

function specOf(cached: CachedObject): ServiceSpec | undefined {
  return (cached.object as Service).spec; // the cache decodes a kind's objects with its message
}

function clusterIp(
  { serviceNetwork, random }: Circumstances,
  { type, clusterIp }: ServiceSpec,
  before: ServiceSpec | undefined,
  used: UsedClaims,
): string {
  // Its validation says what is wrong with an address that can't be used.
  if (clusterIp !== '' || type === 'ExternalName') return clusterIp;
  if (before !== undefined && before.clusterIp !== '') return before.clusterIp;
  const chosen = serviceNetwork.choose((ip) => used.has(addressKey(ip)), random);
  if (chosen === undefined) {
    throw new ApiError('TooManyRequests', `every address of the service network ${serviceNetwork.text} is in use`);
  }
  return chosen;
}

function nodePorts(
  { random }: Circumstances,
  { type, ports }: ServiceSpec,
  before: ServiceSpec | undefined,
  used: UsedClaims,
): ServicePort[] {
  if (!hasNodePorts(type)) {
    // What the api had chosen goes with the type that asked for it; what a user writes now is validated.
    return hasNodePorts(before?.type) ? ports.map((port) => withoutOldNodePort(port, before)) : ports;
  }
  const taken = new Set(ports.flatMap((port) => (port.nodePort === 0 ? [] : [nodePortKey(port, port.nodePort)])));
  return ports.map((port) => {
    if (port.nodePort !== 0) return port;
    const nodePort =
      samePort(before, port)?.nodePort || chooseNodePort(port, (key) => taken.has(key) || used.has(key), random);
    taken.add(nodePortKey(port, nodePort));
    return { ...port, nodePort };
  });
}

function withoutOldNodePort(port: ServicePort, before: ServiceSpec | undefined): ServicePort {
  return samePort(before, port)?.nodePort === port.nodePort ? { ...port, nodePort: 0 } : port;
}

function samePort(spec: ServiceSpec | undefined, { port, protocol }: ServicePort): ServicePort | undefined {
  return spec?.ports.find((other) => other.port === port && other.protocol === protocol);
}

function chooseNodePort(port: ServicePort, used: (key: string) => boolean, random: () => number): number {
  const { min, max } = nodePortRange;
  const size = max - min + 1;
  const start = Math.floor(random() * size);
  for (let i = 0; i < size; i++) {
    const candidate = min + ((start + i) % size);
    if (!used(nodePortKey(port, candidate))) return candidate;
  }
  throw new ApiError('TooManyRequests', `every node port from ${min} to ${max} is in use`);
}

function hasNodePorts(type: string | undefined): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}

function addressKey(ip: string): string {
  return `${allocationPrefix}/clusterip/${ip}`;
}

function nodePortKey({ protocol = 'TCP' }: ServicePort, nodePort: number): string {
  return `${allocationPrefix}/nodeport/${protocol.toLowerCase()}/${nodePort}`;
}

interface Claim {
  readonly path: string;
  readonly value: string;
}

/** What a Service holds, by allocation key. */
function claimsOf(spec: ServiceSpec | undefined): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  if (spec === undefined) return claims;
  const { type, clusterIp, ports } = spec;
  if (type !== 'ExternalName' && clusterIp !== '' && clusterIp !== 'None') {
    claims.set(addressKey(clusterIp), { path: 'spec.clusterIP', value: clusterIp });
  }
  for (const [i, port] of ports.entries()) {
    if (port.nodePort === 0) continue;
    claims.set(nodePortKey(port, port.nodePort), { path: `spec.ports[${i}].nodePort`, value: String(port.nodePort) });
  }
  return claims;
}

/** What all Services but one hold, gathered when first asked for. */
class UsedClaims {
  readonly #circumstances: Circumstances;
  readonly #except: string | undefined;
  #owners: Map<string, string> | undefined;

  constructor(circumstances: Circumstances, except: string | undefined) {
    this.#circumstances = circumstances;
    this.#except = except;
  }

  has(key: string): boolean {
    return this.#all().has(key);
  }

  /** Why a claim can't be met. */
  conflict(key: string, { path, value }: Claim): FieldError | undefined {
    const { serviceNetwork } = this.#circumstances;
    // What is no address at all, validation says.
    const problem = path === 'spec.clusterIP' && isIPv4(value) ? serviceNetwork.problem(value) : undefined;
    if (problem !== undefined) return { path, message: problem };
    const owner = this.#all().get(key);
    return owner === undefined ? undefined : { path, message: `${value} is in use by the Service ${owner}` };
  }

  #all(): ReadonlyMap<string, string> {
    if (this.#owners === undefined) {
      this.#owners = new Map();
      for (const cached of this.#circumstances.view.list(serviceKind)) {
        if (cached.key === this.#except) continue;
        for (const key of claimsOf(specOf(cached)).keys()) this.#owners.set(key, `${cached.namespace}/${cached.name}`);
      }
    }
    return this.#owners;
  }
}
