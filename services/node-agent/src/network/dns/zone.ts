import type { Live } from '@navarch/machinery';
import type { EndpointSlice, Service } from '@navarch/proto';
import type { Answer, StringAnswer } from 'dns-packet';
import { contains, type Network, toNumber } from '../address.ts';

/** Seconds that an answer may be kept: short, since what it names moves. */
export const ttl = 5;

export const clusterDomain = 'cluster.local';

/** What names are made of. The lookups are asked for each question, so they must be quick. */
export interface ZoneView {
  service(namespace: string, name: string): Live<Service> | undefined;
  slices(namespace: string, service: string): readonly Live<EndpointSlice>[];
  hasServicesIn(namespace: string): boolean;
  /** The Services with this cluster address, or the headless ones with an endpoint at it. */
  servicesAt(ip: string): readonly Live<Service>[];
  readonly serviceNetwork: Network;
  readonly clusterNetwork: Network;
}

/** `answers` of a name that exists may be empty (NODATA). 'foreign' names are somebody else's to answer. */
export type ZoneAnswer =
  | { readonly type: 'found'; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] }
  | { readonly type: 'missing' }
  | { readonly type: 'foreign' };

interface Host {
  /** The first label of the endpoint's own name. */
  readonly label: string;
  readonly ip: string;
  readonly port: number | undefined;
}

const missing = { type: 'missing' } as const;
const exists = found([]);

/**
 * Answers a question about the cluster's own names. `name` and `type` as asked; names are compared without regard to
 * case and answered as they were spelled. Source of the names: the Kubernetes DNS-Based Service Discovery specification
 * (https://github.com/kubernetes/dns/blob/master/docs/specification.md).
 */
export function lookUp(name: string, type: string, view: ZoneView): ZoneAnswer {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (lower.endsWith('.in-addr.arpa')) return reverse(name, lower, type, view);
  if (lower === clusterDomain) return type === 'SOA' ? found([soa()]) : exists;
  if (!lower.endsWith(`.${clusterDomain}`)) return { type: 'foreign' };
  const labels = lower.slice(0, -clusterDomain.length - 1).split('.');
  const zone = labels.pop();
  if (zone === 'svc') return serviceName(name, labels, type, view);
  if (zone === 'pod') return podName(name, labels, type, view);
  if (zone === 'dns-version' && labels.length === 0)
    return typed(type, 'TXT', [{ name, type: 'TXT', ttl, data: '1.1.0' }]);
  return missing;
}

/** Stands with answers that say no: how long that may be believed. */
export function soa(): Answer {
  const data = {
    mname: `ns.dns.${clusterDomain}`,
    rname: `hostmaster.${clusterDomain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttl,
  };
  return { name: clusterDomain, type: 'SOA', ttl, data };
}

function serviceName(name: string, labels: readonly string[], type: string, view: ZoneView): ZoneAnswer {
  if (labels.length === 0) return exists;
  const namespace = labels.at(-1) ?? '';
  const serviceLabel = labels.at(-2);
  if (serviceLabel === undefined) return view.hasServicesIn(namespace) ? exists : missing;
  const service = view.service(namespace, serviceLabel);
  if (service === undefined) return missing;
  const rest = labels.slice(0, -2);
  const canonical = `${serviceLabel}.${namespace}.svc.${clusterDomain}`;

  if (service.spec.type === 'ExternalName') {
    return rest.length === 0 ? found([{ name, type: 'CNAME', ttl, data: service.spec.externalName }]) : missing;
  }
  const headless = service.spec.clusterIp === 'None';
  if (!headless && service.spec.clusterIp === '') return missing;
  const hosts = () => hostsOf(view.slices(namespace, serviceLabel));

  if (rest.length === 0) {
    if (type === 'SRV') return portsOf(name, canonical, service, undefined, undefined, hosts());
    const ips = headless ? hosts().map(({ ip }) => ip) : [service.spec.clusterIp];
    return typed(type, 'A', addresses(name, ips));
  }
  const [first = '', second = ''] = rest;
  if (rest.length === 2 && first.startsWith('_') && second.startsWith('_')) {
    const answer = portsOf(name, canonical, service, first.slice(1), second.slice(1), hosts());
    return answer.type === 'found' && type !== 'SRV' ? exists : answer;
  }
  const own = rest.length === 1 ? hosts().filter(({ label }) => label === first) : [];
  return own.length === 0
    ? missing
    : typed(
        type,
        'A',
        addresses(
          name,
          own.map(({ ip }) => ip),
        ),
      );
}

/** SRV records: where each port is served. Without `portName` those of all named ports. */
function portsOf(
  name: string,
  canonical: string,
  { spec }: Live<Service>,
  portName: string | undefined,
  protocol: string | undefined,
  hosts: readonly (Host & { readonly portName: string; readonly protocol: string })[],
): ZoneAnswer {
  const fits = (port: { name: string; protocol: string }) =>
    port.name !== '' &&
    (portName === undefined || port.name.toLowerCase() === portName) &&
    (protocol === undefined || port.protocol.toLowerCase() === protocol);
  const srv = (port: number, target: string): Answer => ({
    name,
    type: 'SRV',
    ttl,
    data: { priority: 0, weight: 100, port, target },
  });
  if (spec.clusterIp !== 'None') {
    const ports = spec.ports.filter((port) => fits({ name: port.name, protocol: port.protocol ?? 'TCP' }));
    if (ports.length === 0) return portName === undefined ? exists : missing;
    return found(
      ports.map(({ port }) => srv(port, canonical)),
      addresses(canonical, [spec.clusterIp]),
    );
  }
  const served = hosts.filter(
    (host) => host.port !== undefined && fits({ name: host.portName, protocol: host.protocol }),
  );
  if (served.length === 0) return portName === undefined ? exists : missing;
  const target = ({ label }: Host) => `${label}.${canonical}`;
  return found(
    served.map((host) => srv(host.port ?? 0, target(host))),
    served.flatMap((host) => addresses(target(host), [host.ip])),
  );
}

function podName(name: string, labels: readonly string[], type: string, view: ZoneView): ZoneAnswer {
  const [dashed = '', namespace] = labels;
  if (labels.length < 2) return exists;
  const ip = dashed.replaceAll('-', '.');
  if (labels.length > 2 || namespace === undefined || !contains(view.clusterNetwork, ip)) return missing;
  return typed(type, 'A', addresses(name, [ip]));
}

function reverse(name: string, lower: string, type: string, view: ZoneView): ZoneAnswer {
  const ip = lower.slice(0, -'.in-addr.arpa'.length).split('.').toReversed().join('.');
  if (toNumber(ip) === undefined) return { type: 'foreign' };
  const targets = view.servicesAt(ip).flatMap(({ metadata, spec }) => {
    const canonical = `${metadata.name}.${metadata.namespace}.svc.${clusterDomain}`;
    if (spec.clusterIp === ip) return [canonical];
    const hosts = hostsOf(view.slices(metadata.namespace, metadata.name)).filter((host) => host.ip === ip);
    return [...new Set(hosts.map(({ label }) => `${label}.${canonical}`))];
  });
  if (targets.length > 0)
    return typed(
      type,
      'PTR',
      targets.map((data): StringAnswer => ({ name, type: 'PTR', ttl, data })),
    );
  return contains(view.serviceNetwork, ip) || contains(view.clusterNetwork, ip) ? missing : { type: 'foreign' };
}

function hostsOf(slices: readonly Live<EndpointSlice>[]) {
  const hosts = new Map<string, Host & { portName: string; protocol: string }>();
  for (const { endpoints, ports } of slices) {
    for (const { addresses: [ip] = [], hostname, conditions } of endpoints) {
      if (ip === undefined || conditions?.ready === false) continue;
      const label = hostname === '' ? ip.replaceAll('.', '-') : hostname.toLowerCase();
      if (ports.length === 0)
        hosts.set(`${label} ${ip}`, { label, ip, port: undefined, portName: '', protocol: 'TCP' });
      for (const { name, port, protocol = 'TCP' } of ports) {
        hosts.set(`${label} ${ip} ${name} ${protocol} ${port}`, { label, ip, port, portName: name, protocol });
      }
    }
  }
  return [...hosts.values()];
}

function addresses(name: string, ips: readonly string[]): Answer[] {
  return [...new Set(ips)].map((data): StringAnswer => ({ name, type: 'A', ttl, data }));
}

/** What exists has an answer for questions of its own type, and an empty one for all others. */
function typed(asked: string, type: string, answers: readonly Answer[]): ZoneAnswer {
  return asked === type || asked === 'ANY' ? found(answers) : exists;
}

function found(answers: readonly Answer[], additionals: readonly Answer[] = []) {
  return { type: 'found', answers, additionals } as const;
}
