import { type KindDefinition, manifest, pod, service } from '@navarch/kinds';
import { formatLabelSelector, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { kindNamed } from './resource-args.ts';
import { type Session, UserError } from './session.ts';

/** The Pod that `web`, `pod/web`, `deploy/web`, `job/once` or `svc/web` means for logs and exec. */
export async function choosePod(session: Session, target: string): Promise<Live<Pod>> {
  const { namespace } = session;
  const slash = target.indexOf('/');
  const kind = slash < 0 ? pod : await kindNamed(session, target.slice(0, slash));
  const name = target.slice(slash + 1);
  if (kind.case === 'pod') return session.client().get(pod, { namespace, name });
  const labelSelector = await selectorOf(session, kind, name);
  const pods = await podsBySelector(session, labelSelector);
  const [first] = pods;
  if (first === undefined) throw new UserError(`${kind.singular} "${name}" has no Pods`);
  if (pods.length > 1) session.warn(`Found ${pods.length} pods, using pod/${first.metadata.name}\n`);
  return first;
}

/** Those that run and are ready first, then by name. */
export async function podsBySelector(session: Session, labelSelector: string): Promise<readonly Live<Pod>[]> {
  const { items } = await session.client().list(pod, { namespace: session.namespace, labelSelector });
  const rank = ({ status }: Live<Pod>) =>
    status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
      ? 0
      : status.phase === 'Running'
        ? 1
        : 2;
  return items.toSorted((a, b) => rank(a) - rank(b) || a.metadata.name.localeCompare(b.metadata.name));
}

/** The container named, or the only one, or the first, and then this is said. Throws UserError when there is none such. */
export function chooseContainer(session: Session, { metadata, spec }: Live<Pod>, wanted: string | undefined): string {
  const names = [...spec.containers, ...spec.initContainers, ...spec.ephemeralContainers].map(({ name }) => name);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new UserError(`container ${wanted} is not in pod ${metadata.name}, which has ${names.join(', ')}`);
  }
  const [first = ''] = names;
  if (spec.containers.length > 1) session.warn(`Defaulted container "${first}" out of: ${names.join(', ')}\n`);
  return first;
}

/** The selector of a Service, or of a workload of whatever kind. Throws UserError where there is none. */
async function selectorOf(session: Session, kind: KindDefinition, name: string): Promise<string> {
  const object = await session.client().get(kind, { namespace: session.namespace, name });
  const { selector } = (manifest(kind, object)['spec'] ?? {}) as { selector?: Record<string, unknown> }; // as in the contract
  if (kind.case === service.case) {
    if (selector === undefined) throw new UserError(`service "${name}" chooses no Pods`);
    return Object.entries(selector)
      .map(([label, value]) => `${label}=${String(value)}`)
      .join(',');
  }
  if (selector === undefined) {
    throw new UserError(`${kind.plural} have no containers; Pods, workloads and Services do`);
  }
  return formatLabelSelector({ matchLabels: {}, matchExpressions: [], ...selector });
}
