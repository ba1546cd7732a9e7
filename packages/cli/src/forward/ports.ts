import type { KubeObject, Live } from '@navarch/machinery';
import type { Pod, Service } from '@navarch/proto';
import { UserError } from '../session.ts';

/** A port here, 0 for any that is free, and what it leads to. */
export interface PortPair {
  readonly local: number;
  readonly remote: number;
}

/**
 * Reads `8080:80`, `80` (the same here), `:80` (any that is free here) and names (`8080:web`). With `service`, the remote port is
 * one of the Service's, and stands for the port of the Pod that it sends to. Throws UserError.
 */
export function readPorts(text: string, pod: Live<Pod>, service?: KubeObject & Service): PortPair {
  const [first = '', second] = text.split(':');
  const wrong = new UserError(`"${text}" is no port: write LOCAL:REMOTE, REMOTE, or :REMOTE for any that is free here`);
  if (text.split(':').length > 2 || (second ?? first) === '') throw wrong;
  const remoteText = second ?? first;
  const named = /^\d+$/.test(remoteText) ? Number(remoteText) : undefined;
  const remote =
    service === undefined ? (named ?? portOfPod(pod, remoteText)) : portOfService(pod, service, named ?? remoteText);
  const asked = second === undefined ? (named ?? remote) : first === '' ? 0 : Number(first);
  if (!Number.isInteger(asked) || asked < 0 || asked > 65_535 || remote < 1 || remote > 65_535) throw wrong;
  return { local: asked, remote };
}

function portOfPod({ metadata, spec }: Live<Pod>, name: string): number {
  const ports = spec.containers.flatMap((container) => container.ports);
  const found = ports.find((port) => port.name === name);
  if (found !== undefined) return found.containerPort;
  throw new UserError(`pod ${metadata.name} has no port called "${name}"`);
}

function portOfService(pod: Live<Pod>, { metadata, spec }: KubeObject & Service, wanted: number | string): number {
  const ports = spec?.ports ?? [];
  const found = ports.find(({ port, name }) => port === wanted || name === wanted);
  if (found === undefined) {
    const has = ports.map(({ port, name }) => (name === '' ? String(port) : `${port} (${name})`)).join(', ');
    throw new UserError(`service ${metadata?.name ?? ''} has no port ${wanted}; it has ${has || 'none'}`);
  }
  // A Service without an address of its own sends nothing: its names lead to the Pod as it is.
  if (spec?.clusterIp === 'None') return found.port;
  const target: unknown = found.targetPort ?? found.port;
  return typeof target === 'number' ? target : portOfPod(pod, String(target));
}
