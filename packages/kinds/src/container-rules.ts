import { type FieldError, isPortName, parseQuantity } from '@navarch/machinery';
import type { Container, EnvVar, PodSpec, Probe, ResourceRequirements } from '@navarch/proto';
import { validateFieldRef, validateResourceFieldRef } from './field-rules.ts';
import { duplicates, exactlyOne, relativePath } from './rules.ts';

export function validateContainer(container: Container, path: string, spec: PodSpec, isInit: boolean): FieldError[] {
  return [
    ...validateImage(container, path),
    ...validatePorts(container, path, spec),
    ...container.env.flatMap((variable, index) => validateEnv(variable, `${path}.env[${index}]`)),
    ...container.envFrom.flatMap(({ configMapRef, secretRef }, index) =>
      exactlyOne(`${path}.envFrom[${index}]`, { configMapRef, secretRef }),
    ),
    ...validateResources(container.resources, `${path}.resources`),
    ...validateMounts(container, path, spec),
    ...validateProbes(container, path, isInit),
    ...validateSecurity(container, path),
  ];
}

function validateImage({ image }: Container, path: string): FieldError[] {
  return /\s/.test(image) ? [{ path: `${path}.image`, message: 'must not hold spaces' }] : [];
}

function validatePorts({ ports }: Container, path: string, { hostNetwork }: PodSpec): FieldError[] {
  const errors = duplicates(
    ports,
    ({ name }) => name,
    (index) => `${path}.ports[${index}].name`,
  );
  for (const [index, { name, hostPort, containerPort }] of ports.entries()) {
    if (name !== '' && !isPortName(name)) {
      const rule = 'must be at most 15 of a-z, 0-9 and -, with a letter in it (RFC 6335)';
      errors.push({ path: `${path}.ports[${index}].name`, message: `"${name}" ${rule}` });
    }
    if (hostNetwork && hostPort !== 0 && hostPort !== containerPort) {
      errors.push({
        path: `${path}.ports[${index}].hostPort`,
        message: 'must be containerPort when hostNetwork is true',
      });
    }
  }
  return errors;
}

function validateEnv({ value, valueFrom }: EnvVar, path: string): FieldError[] {
  if (valueFrom === undefined) return [];
  const from = `${path}.valueFrom`;
  if (value !== '') return [{ path: from, message: 'must not be set together with value' }];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  return [
    ...exactlyOne(from, { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef }),
    ...validateFieldRef(fieldRef, `${from}.fieldRef`, 'variable'),
    ...validateResourceFieldRef(resourceFieldRef, `${from}.resourceFieldRef`),
  ];
}

const standardResources = new Set(['cpu', 'memory', 'ephemeral-storage']);

function validateResources(resources: ResourceRequirements | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [part, amounts] of Object.entries({
    limits: resources?.limits ?? {},
    requests: resources?.requests ?? {},
  })) {
    for (const [name, text] of Object.entries(amounts)) {
      const at = `${path}.${part}.${name}`;
      if (!standardResources.has(name) && !name.includes('/')) {
        errors.push({
          path: at,
          message: 'must be cpu, memory, ephemeral-storage, or a name with a domain: example.com/gpu',
        });
      }
      if ((parseQuantity(text) ?? 0n) < 0n) errors.push({ path: at, message: `"${text}" must not be negative` });
    }
  }
  for (const [name, text] of Object.entries(resources?.requests ?? {})) {
    const limitText = resources?.limits[name];
    const limit = limitText === undefined ? undefined : parseQuantity(limitText);
    const request = parseQuantity(text);
    if (limit === undefined || request === undefined || request <= limit) continue;
    errors.push({ path: `${path}.requests.${name}`, message: `"${text}" must be at most the limit "${limitText}"` });
  }
  return errors;
}

function validateMounts({ volumeMounts }: Container, path: string, { volumes }: PodSpec): FieldError[] {
  const at = (index: number) => `${path}.volumeMounts[${index}]`;
  const known = volumes.map(({ name }) => name);
  const errors = duplicates(
    volumeMounts,
    ({ mountPath }) => mountPath,
    (index) => `${at(index)}.mountPath`,
  );
  for (const [index, { name, subPath }] of volumeMounts.entries()) {
    if (name !== '' && !known.includes(name)) {
      const has = known.length === 0 ? 'the Pod has none' : `the Pod has ${known.join(', ')}`;
      errors.push({ path: `${at(index)}.name`, message: `there is no volume "${name}"; ${has}` });
    }
    errors.push(...relativePath(`${at(index)}.subPath`, subPath));
  }
  return errors;
}

function validateProbes(container: Container, path: string, isInit: boolean): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  const errors: FieldError[] = [];
  for (const [name, probe] of Object.entries({ livenessProbe, readinessProbe, startupProbe })) {
    if (probe === undefined) continue;
    const at = `${path}.${name}`;
    if (isInit) errors.push({ path: at, message: 'an init container has no probes' });
    errors.push(...validateProbe(probe, container, at));
    if (name !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1) {
      errors.push({ path: `${at}.successThreshold`, message: 'must be 1' });
    }
  }
  return errors;
}

function validateProbe({ exec, httpGet, tcpSocket }: Probe, { ports }: Container, path: string): FieldError[] {
  const errors = exactlyOne(path, { exec, httpGet, tcpSocket });
  for (const [name, action] of Object.entries({ httpGet, tcpSocket })) {
    const port: unknown = action?.port;
    if (typeof port !== 'string' || ports.some((candidate) => candidate.name === port)) continue;
    errors.push({ path: `${path}.${name}.port`, message: `the container has no port called "${port}"` });
  }
  return errors;
}

function validateSecurity({ securityContext }: Container, path: string): FieldError[] {
  if (securityContext?.privileged !== true || securityContext.allowPrivilegeEscalation !== false) return [];
  const message = 'must not be false when privileged is true';
  return [{ path: `${path}.securityContext.allowPrivilegeEscalation`, message }];
}
