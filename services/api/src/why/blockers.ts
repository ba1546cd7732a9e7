import { inUseFinalizer, type KindDefinition, pod as podKind } from '@navarch/kinds';
import { type Blocker, Blocker_Type, type ObjectMeta, type Pod } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { namespaceFinalizers } from '../pipeline/removal.ts';
import type { Snapshot } from './snapshot.ts';
import { agentWorker, controllerWorker, type Worker } from './workers.ts';

/** Who works off the finalizers that the cluster itself knows: a part of the controller-manager each. */
const controllersByFinalizer: Readonly<Record<string, string>> = {
  foregroundDeletion: 'the garbage collector',
  orphan: 'the garbage collector',
  kubernetes: 'the namespace controller',
  'customresourcecleanup.apiextensions.k8s.io': 'the controller of custom kinds',
  [inUseFinalizer]: 'the controller of claims',
};

/** Told of objects whose dependents, or content, are known. */
export interface Known {
  /** How many dependents foreground deletion waits for. */
  readonly blocking: number;
  readonly dependents: number;
  /** How much is in the namespace. */
  readonly content: number;
}

/** What an object waits for, or would wait for once it is asked to go. */
export function blockersOf(cached: CachedObject, snapshot: Snapshot, nowMs: number, known?: Known): readonly Blocker[] {
  const { kind, object } = cached;
  const { finalizers, deletionTimestamp: since } = object.metadata;
  return [
    ...gracePeriod(cached, snapshot, nowMs),
    ...[...finalizers, ...namespaceFinalizers(kind, object)].map((finalizer): Blocker => {
      const worker = workerOf(finalizer, snapshot, nowMs);
      return {
        type: Blocker_Type.FINALIZER,
        finalizer,
        since,
        until: '',
        ...setterOf(object.metadata, finalizer),
        ...(worker ?? { worker: '', workerState: 'nobody here knows this finalizer', workerIsWell: false }),
        waitsFor:
          finalizer === inUseFinalizer
            ? usersOf(cached, snapshot)
            : known === undefined
              ? ''
              : waitsFor(finalizer, known),
        remedy: worker === undefined ? removeByHand(cached, finalizer) : '',
      };
    }),
  ];
}

/** A finalizer is an item of a list that is a set: a key of its own in fieldsV1. */
function setterOf({ managedFields }: ObjectMeta, finalizer: string): Pick<Blocker, 'setBy' | 'setAt'> {
  const path = ['f:metadata', 'f:finalizers', `v:${JSON.stringify(finalizer)}`];
  const setter = managedFields.find(({ fieldsV1 }) => hasPath(fieldsV1, path));
  return { setBy: setter?.manager ?? '', setAt: setter?.time ?? '' };
}

function hasPath(value: unknown, path: readonly string[]): boolean {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, step)) return false;
    inner = (inner as Record<string, unknown>)[step]; // an object, by the test above
  }
  return true;
}

function workerOf(finalizer: string, snapshot: Snapshot, nowMs: number): Worker | undefined {
  const controller = controllersByFinalizer[finalizer];
  return controller === undefined ? undefined : controllerWorker(controller, snapshot, nowMs);
}

function gracePeriod(
  { kind, namespace, name, object }: CachedObject,
  snapshot: Snapshot,
  nowMs: number,
): readonly Blocker[] {
  const { deletionTimestamp: since, deletionGracePeriodSeconds } = object.metadata;
  const seconds = since === '' ? (kind.gracePeriodSeconds?.(object) ?? 0) : (deletionGracePeriodSeconds ?? 0);
  if (seconds === 0 || kind.case !== podKind.case) return [];
  const { spec } = object as Pod; // the kind says what it is
  const worker = agentWorker(spec?.nodeName ?? '', snapshot, nowMs);
  const force = `navctl delete ${podKind.singular}/${name} -n ${namespace} --force`;
  return [
    {
      ...worker,
      type: Blocker_Type.GRACE_PERIOD,
      finalizer: '',
      setBy: '',
      setAt: '',
      since,
      until: since === '' ? '' : `${new Date(Date.parse(since) + seconds * 1000).toISOString().slice(0, 19)}Z`,
      waitsFor: `its containers to end, within ${seconds} s`,
      remedy:
        since === '' || worker.workerIsWell
          ? ''
          : `${force} removes it at once, whether or not its containers still run`,
    },
  ];
}

function waitsFor(finalizer: string, { blocking, dependents, content }: Known): string {
  switch (finalizer) {
    case 'foregroundDeletion':
      return blocking === 0 ? '' : `${counted(blocking, 'dependent')} that ${blocking === 1 ? 'blocks' : 'block'} it`;
    case 'orphan':
      return dependents === 0 ? '' : `${counted(dependents, 'dependent')} to be cut loose`;
    case 'kubernetes':
      return content === 0 ? '' : `${counted(content, 'object')} in it to go`;
    default:
      return '';
  }
}

/** The Pods on nodes that mount a claim. */
function usersOf({ namespace, name }: CachedObject, snapshot: Snapshot): string {
  const pods = [...snapshot.list(podKind, namespace)].filter(({ object }) => {
    const { spec } = object as Pod; // the kind says what it is
    const mounts = spec?.volumes.some(({ persistentVolumeClaim: source }) => source?.claimName === name);
    return mounts === true && spec?.nodeName !== '';
  });
  if (pods.length === 0) return '';
  return `${counted(pods.length, 'Pod')} that ${pods.length === 1 ? 'uses' : 'use'} it to go: ${pods
    .map((pod) => pod.name)
    .sort()
    .slice(0, 5)
    .join(', ')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** The test makes it the finalizer that was meant, also when others go meanwhile. */
function removeByHand({ kind, namespace, name, object }: CachedObject, finalizer: string): string {
  const index = object.metadata.finalizers.indexOf(finalizer);
  const field = index < 0 ? 'spec' : 'metadata';
  const path = `/${field}/finalizers/${index < 0 ? namespaceFinalizers(kind, object).indexOf(finalizer) : index}`;
  const patch = JSON.stringify([
    { op: 'test', path, value: finalizer },
    { op: 'remove', path },
  ]);
  const where = namespace === '' ? '' : ` -n ${namespace}`;
  return `if nobody will: navctl patch ${resourceText(kind)}/${name}${where} --type=json -p '${patch}'; what it was there for is then never done`;
}

function resourceText({ singular, group }: KindDefinition): string {
  return group === '' ? singular : `${singular}.${group}`;
}
