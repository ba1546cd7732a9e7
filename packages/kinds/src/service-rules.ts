import { type FieldError, formatProblem } from '@navarch/machinery';
import type { Service, ServiceSpec } from '@navarch/proto';
import { duplicates } from './rules.ts';

/** Ports of nodes that Services may have. Source: kube-apiserver --service-node-port-range. */
export const nodePortRange = { min: 30_000, max: 32_767 };

export function validateService({ spec }: Service): FieldError[] {
  if (spec === undefined) return [];
  return [...validateAddress(spec), ...validatePorts(spec)];
}

/** A Service keeps the address it was given, for as long as it has one. */
export function validateServiceUpdate({ spec: next }: Service, { spec: previous }: Service): FieldError[] {
  const had = previous?.clusterIp ?? '';
  const kept = next?.clusterIp === had || next?.type === 'ExternalName' || previous?.type === 'ExternalName';
  return had === '' || kept ? [] : [{ path: 'spec.clusterIP', message: `can not be changed; it is "${had}"` }];
}

function validateAddress({ type, clusterIp, externalName }: ServiceSpec): FieldError[] {
  const path = 'spec.clusterIP';
  if (type === 'ExternalName') {
    const errors: FieldError[] = [];
    if (externalName === '')
      errors.push({ path: 'spec.externalName', message: 'must be set for the type ExternalName' });
    if (clusterIp !== '') errors.push({ path, message: 'must not be set for the type ExternalName' });
    return errors;
  }
  if (clusterIp === '') return [];
  if (clusterIp === 'None') {
    return type === 'ClusterIP' ? [] : [{ path, message: `must not be None for the type ${type}` }];
  }
  const problem = formatProblem('IP', clusterIp);
  return problem === undefined ? [] : [{ path, message: `${problem}, None, or empty` }];
}

function validatePorts({ ports, type, clusterIp }: ServiceSpec): FieldError[] {
  const path = 'spec.ports';
  const at = (index: number) => `${path}[${index}]`;
  if (ports.length === 0) {
    return type === 'ExternalName' || clusterIp === 'None' ? [] : [{ path, message: 'must be set' }];
  }
  const errors = [
    ...duplicates(
      ports,
      ({ name }) => name,
      (index) => `${at(index)}.name`,
    ),
    ...duplicates(
      ports,
      ({ port, protocol = 'TCP' }) => `${port}/${protocol}`,
      (index) => at(index),
    ),
    ...duplicates(
      ports,
      ({ nodePort, protocol = 'TCP' }) => (nodePort === 0 ? undefined : `${nodePort}/${protocol}`),
      (index) => `${at(index)}.nodePort`,
    ),
  ];
  const hasNodePorts = type === 'NodePort' || type === 'LoadBalancer';
  for (const [index, { name, nodePort }] of ports.entries()) {
    if (name === '' && ports.length > 1) {
      errors.push({ path: `${at(index)}.name`, message: 'must be set when there are several ports' });
    }
    if (nodePort === 0) continue;
    if (!hasNodePorts) {
      errors.push({ path: `${at(index)}.nodePort`, message: `must not be set for the type ${type}` });
    } else if (nodePort < nodePortRange.min || nodePort > nodePortRange.max) {
      const message = `${nodePort} must be from ${nodePortRange.min} to ${nodePortRange.max}`;
      errors.push({ path: `${at(index)}.nodePort`, message });
    }
  }
  return errors;
}
