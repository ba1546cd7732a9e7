import type { JsonObject } from '@navarch/machinery';
import { Option } from 'commander';
import { collect, wholeNumber } from '../options.ts';
import { UserError } from '../session.ts';
import { type Maker, maker } from './maker.ts';

interface ServiceFlags {
  readonly tcp?: readonly string[];
  readonly clusterip?: string;
  readonly nodePort?: number;
  readonly externalName?: string;
}

const tcpOption = () =>
  new Option('--tcp <port>', 'a port, or PORT:TARGET where the Pods listen on another').argParser(collect);

function serviceMaker(
  word: string,
  type: string,
  more: Pick<Maker<ServiceFlags>, 'description' | 'examples' | 'options'>,
  spec: (flags: ServiceFlags) => JsonObject,
): Maker {
  return maker<ServiceFlags>({
    path: ['service', word],
    apiVersion: 'v1',
    kind: 'Service',
    ...more,
    make: (name, flags) => {
      const labels = { app: name };
      const ports = (flags.tcp ?? []).map(readPort);
      const selector = type === 'ExternalName' ? {} : { selector: labels };
      return { metadata: { labels }, spec: { type, ...selector, ports, ...spec(flags) } };
    },
  });
}

/** 80, 80:8080 or 80:http; named as the flag has it. */
function readPort(text: string): JsonObject {
  const match = /^(\d+)(?::([\w-]+))?$/.exec(text);
  if (match === null) throw new UserError(`--tcp: "${text}" must be PORT or PORT:TARGET, as in 80:8080`);
  const [, port = '', target = port] = match;
  const name = text.replace(':', '-').toLowerCase();
  return { name, port: Number(port), protocol: 'TCP', targetPort: /^\d+$/.test(target) ? Number(target) : target };
}

export const serviceMakers: readonly Maker[] = [
  serviceMaker(
    'clusterip',
    'ClusterIP',
    {
      description: 'Make a Service that is reached within the cluster. It chooses Pods with the label app=NAME',
      options: () => [
        tcpOption(),
        new Option('--clusterip <address>', 'its address, or None for a headless Service (default: a free one)'),
      ],
      examples: ['service clusterip web --tcp=80:8080', 'service clusterip db --clusterip=None'],
    },
    ({ clusterip, tcp }) => {
      if (clusterip !== 'None' && tcp === undefined) throw new UserError('say which port: --tcp=80 or --tcp=80:8080');
      return clusterip === undefined ? {} : { clusterIP: clusterip };
    },
  ),
  serviceMaker(
    'nodeport',
    'NodePort',
    {
      description: 'Make a Service that is reached at a port of every node. It chooses Pods with the label app=NAME',
      options: () => [
        tcpOption().makeOptionMandatory(),
        new Option('--node-port <port>', 'the port of the nodes (default: a free one)').argParser(wholeNumber),
      ],
      examples: ['service nodeport web --tcp=80 --node-port=30080'],
    },
    ({ nodePort, tcp = [] }) => {
      if (nodePort === undefined) return {};
      if (tcp.length !== 1) throw new UserError('--node-port goes with one --tcp');
      return { ports: tcp.map((text) => ({ ...readPort(text), nodePort })) };
    },
  ),
  serviceMaker(
    'loadbalancer',
    'LoadBalancer',
    {
      description: 'Make a Service that is reached from outside. It chooses Pods with the label app=NAME',
      options: () => [tcpOption().makeOptionMandatory()],
      examples: ['service loadbalancer web --tcp=80:8080'],
    },
    () => ({}),
  ),
  serviceMaker(
    'externalname',
    'ExternalName',
    {
      description: 'Make a Service that is another name for a host elsewhere',
      options: () => [new Option('--external-name <host>', 'the host').makeOptionMandatory(), tcpOption()],
      examples: ['service externalname db --external-name=db.example.com'],
    },
    ({ externalName = '' }) => ({ externalName }),
  ),
];
