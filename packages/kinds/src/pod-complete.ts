import { type Container, type Pod, PodSecurityContext, type PodSpec } from '@navarch/proto';

/** Defaults of a PodSpec that depend on more than one field. Changes `spec`. */
export function completePodSpec(spec: PodSpec | undefined): void {
  completeServiceAccount(spec);
  for (const volume of spec?.volumes ?? []) {
    if (volumeSources.every((source) => volume[source] === undefined)) {
      volume.emptyDir = { medium: '', sizeLimit: '' };
    }
  }
  for (const container of [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ]) {
    completeContainer(container, spec?.hostNetwork === true);
  }
}

/** As Kubernetes keeps Pods: kubectl debug reads this without a look. Changes `spec`. */
export function completePod({ spec }: Pod): void {
  completePodSpec(spec);
  if (spec !== undefined) spec.securityContext ??= PodSecurityContext.fromPartial({});
}

/** The account's name has two names. */
function completeServiceAccount(spec: PodSpec | undefined): void {
  if (spec === undefined) return;
  spec.serviceAccountName ||= spec.serviceAccount;
  spec.serviceAccount = spec.serviceAccountName;
}

const volumeSources = [
  'emptyDir',
  'hostPath',
  'configMap',
  'secret',
  'persistentVolumeClaim',
  'projected',
  'downwardApi',
] as const;

function completeContainer(container: Container, hostNetwork: boolean): void {
  if (hostNetwork) for (const port of container.ports) port.hostPort ||= port.containerPort;
  if (container.imagePullPolicy === '') {
    container.imagePullPolicy = imageTag(container.image) === 'latest' ? 'Always' : 'IfNotPresent';
  }
  const { resources } = container;
  if (resources === undefined) return;
  for (const [name, limit] of Object.entries(resources.limits)) resources.requests[name] ??= limit;
}

/** The tag of an image reference: 'latest' when there is none, '' when a digest names the image. */
function imageTag(image: string): string {
  if (image.includes('@')) return '';
  const lastPart = image.slice(image.lastIndexOf('/') + 1);
  const colon = lastPart.indexOf(':');
  return colon < 0 ? 'latest' : lastPart.slice(colon + 1);
}
