import { isDeepStrictEqual } from 'node:util';
import { deployment, manifest, replicaSet } from '@navarch/kinds';
import { formatLabelSelector, formatTable, type JsonObject, type Live } from '@navarch/machinery';
import { type Deployment, PatchRequest_Type, type ReplicaSet } from '@navarch/proto';
import { stringify } from 'yaml';
import { objectName } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';

const revisionKey = 'deployment.kubernetes.io/revision';
const causeKey = 'kubernetes.io/change-cause';
/** Tells the Pods of one revision from those of the others; no part of what the user wrote. */
const hashLabel = 'pod-template-hash';

interface Revision {
  readonly number: number;
  readonly replicaSet: Live<ReplicaSet>;
}

export async function history(session: Session, target: Live<Deployment>, number: number | undefined): Promise<void> {
  const revisions = await findRevisions(session, target);
  const name = objectName(deployment, target.metadata.name);
  if (number !== undefined) {
    const template = templateOf(pick(revisions, number, target));
    session.print(`${name} with revision #${number}\nPod Template:\n${indent(stringify(template))}`);
    return;
  }
  const rows = revisions.map(({ number, replicaSet: { metadata } }) => [
    number,
    metadata.annotations[causeKey] ?? '<none>',
  ]);
  session.print(`${name} \n${formatTable([['REVISION', 'CHANGE-CAUSE'], ...rows])}\n`);
}

export async function undo(session: Session, target: Live<Deployment>, toRevision: number): Promise<void> {
  const { namespace, name, resourceVersion } = target.metadata;
  if (target.spec.paused)
    throw new UserError(`deployment "${name}" is paused; resume it first: navctl rollout resume deploy/${name}`);
  const revisions = await findRevisions(session, target);
  const current = revisions.at(-1)?.number;
  const wanted =
    toRevision > 0 ? pick(revisions, toRevision, target) : revisions.findLast(({ number }) => number !== current);
  if (wanted === undefined) throw new UserError(`no rollout history found for deployment "${name}"`);
  const template = templateOf(wanted);
  if (isDeepStrictEqual(template, specOf(manifest(deployment, target))['template'])) {
    session.print(
      `${objectName(deployment, name)} skipped rollback (current template already matches revision ${wanted.number})\n`,
    );
    return;
  }
  const patch = JSON.stringify([
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace', path: '/spec/template', value: template },
  ]);
  await session.client().patch(deployment, { namespace, name }, { type: PatchRequest_Type.JSON, patch });
  session.print(`${objectName(deployment, name)} rolled back\n`);
}

/** The Deployment's ReplicaSets, oldest revision first. */
async function findRevisions(session: Session, { metadata, spec }: Live<Deployment>): Promise<readonly Revision[]> {
  const { items } = await session.client().list(replicaSet, {
    namespace: metadata.namespace,
    labelSelector: formatLabelSelector(spec.selector),
  });
  return items
    .filter((item) => item.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid))
    .map((item) => ({ number: Number(item.metadata.annotations[revisionKey] ?? 0), replicaSet: item }))
    .sort((a, b) => a.number - b.number);
}

function pick(revisions: readonly Revision[], number: number, { metadata }: Live<Deployment>): Revision {
  const found = revisions.find((revision) => revision.number === number);
  if (found !== undefined) return found;
  const known = revisions.map((revision) => revision.number).join(', ') || 'none';
  throw new UserError(`unable to find revision ${number} of deployment "${metadata.name}"; there is ${known}`);
}

function templateOf({ replicaSet: set }: Revision): JsonObject {
  // Both are messages in the contract, and so objects.
  const template = structuredClone(specOf(manifest(replicaSet, set))['template']) as JsonObject;
  const labels = (template['metadata'] as JsonObject | undefined)?.['labels'] as JsonObject | undefined;
  if (labels !== undefined) delete labels[hashLabel];
  return template;
}

function specOf(json: JsonObject): JsonObject {
  return (json['spec'] ?? {}) as JsonObject; // a message in the contract
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
