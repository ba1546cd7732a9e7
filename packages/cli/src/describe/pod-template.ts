import type { Container, EnvVar, PodSpec, Probe, Volume } from '@navarch/proto';
import { messageSchema, encodeObject } from '@navarch/machinery';
import type { Entry } from './outline.ts';

/** A PodSpec's containers; `more` gives what is known of one by its name beyond the spec. */
export function containerEntries(spec: PodSpec, more: (name: string) => readonly Entry[] = () => []): readonly Entry[] {
  const block = (label: string, containers: readonly Container[]): Entry => ({
    label,
    entries: containers.map((container) => ({
      label: container.name,
      entries: entriesOf(container, more(container.name)),
    })),
  });
  const containers = block('Containers', spec.containers);
  return spec.initContainers.length === 0 ? [containers] : [block('Init Containers', spec.initContainers), containers];
}

export function volumeEntries({ volumes }: PodSpec): readonly Entry[] {
  return [{ label: 'Volumes', entries: volumes.map(volumeEntry) }];
}

function entriesOf(container: Container, status: readonly Entry[]): readonly Entry[] {
  const { image, ports, command, args, resources, env, envFrom, volumeMounts } = container;
  const entries: Entry[] = [{ label: 'Image', value: image }];
  const portTexts = ports.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`);
  entries.push({ label: ports.length > 1 ? 'Ports' : 'Port', value: portTexts.join(', ') || '<none>' });
  const hostPorts = ports.filter(({ hostPort }) => hostPort !== 0);
  if (hostPorts.length > 0)
    entries.push({ label: 'Host Ports', value: hostPorts.map(({ hostPort }) => hostPort).join(', ') });
  if (command.length > 0) entries.push({ label: 'Command', lines: command });
  if (args.length > 0) entries.push({ label: 'Args', lines: args });
  entries.push(...status);
  for (const [label, amounts] of [
    ['Limits', resources?.limits ?? {}],
    ['Requests', resources?.requests ?? {}],
  ] as const) {
    const quantities = Object.entries(amounts);
    if (quantities.length === 0) continue;
    entries.push({ label, entries: quantities.map(([name, value]) => ({ label: name, value })) });
  }
  for (const [label, probe] of [
    ['Liveness', container.livenessProbe],
    ['Readiness', container.readinessProbe],
    ['Startup', container.startupProbe],
  ] as const) {
    if (probe !== undefined) entries.push({ label, value: probeText(probe) });
  }
  if (envFrom.length > 0) {
    const sources = envFrom.map(({ configMapRef, secretRef }) =>
      configMapRef === undefined ? `${secretRef?.name}  Secret` : `${configMapRef.name}  ConfigMap`,
    );
    entries.push({ label: 'Environment Variables from', lines: sources });
  }
  entries.push({
    label: 'Environment',
    entries: env.map((variable) => ({ label: variable.name, value: envText(variable) })),
  });
  const mounts = volumeMounts.map(
    ({ mountPath, name, readOnly }) => `${mountPath} from ${name} (${readOnly ? 'ro' : 'rw'})`,
  );
  entries.push({ label: 'Mounts', lines: mounts });
  return entries;
}

function probeText({ exec, httpGet, tcpSocket, ...times }: Probe): string {
  const action =
    httpGet !== undefined
      ? `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host}:${String(httpGet.port)}${httpGet.path ?? '/'}`
      : tcpSocket !== undefined
        ? `tcp-socket ${tcpSocket.host}:${String(tcpSocket.port)}`
        : `exec [${exec?.command.join(' ') ?? ''}]`;
  const {
    initialDelaySeconds,
    timeoutSeconds = 1,
    periodSeconds = 10,
    successThreshold = 1,
    failureThreshold = 3,
  } = times;
  return `${action} delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
}

function envText({ value, valueFrom }: EnvVar): string {
  if (valueFrom === undefined) return value;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) return `(${fieldRef.fieldPath})`;
  if (resourceFieldRef !== undefined) return `(${resourceFieldRef.resource})`;
  if (configMapKeyRef !== undefined)
    return `<set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name}'>`;
  return `<set to the key '${secretKeyRef?.key}' in secret '${secretKeyRef?.name}'>`;
}

/** A volume's source as the manifest has it. */
function volumeEntry(volume: Volume): Entry {
  const { name: _name, ...sources } = encodeObject(messageSchema('navarch.core.v1.Volume'), volume);
  const [[type, fields] = ['', {}]] = Object.entries(sources);
  const details = Object.entries(fields as object).map(([label, value]: [string, unknown]) => ({
    label,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
  return { label: volume.name, entries: [{ label: 'Type', value: type }, ...details] };
}
