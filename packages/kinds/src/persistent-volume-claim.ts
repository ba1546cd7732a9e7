import { isDeepStrictEqual } from 'node:util';
import { type FieldError, parseQuantity } from '@navarch/machinery';
import { PersistentVolumeClaim } from '@navarch/proto';
import { ageColumn, nameColumn, none, orNone } from './columns.ts';
import { defineKind } from './define-kind.ts';

/** The node that has, or will have, a claim's data. Set once, by the scheduler. The name is Kubernetes' own. */
export const claimNodeAnnotation = 'volume.kubernetes.io/selected-node';

/** Keeps a claim that was asked to go until no Pod uses it any more. The name is Kubernetes' own. */
export const inUseFinalizer = 'kubernetes.io/pvc-protection';

/** The one class of storage: a directory on a node. */
export const localStorageClass = 'local';

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

export const persistentVolumeClaim = defineKind('persistentVolumeClaim', PersistentVolumeClaim, {
  group: '',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'STATUS', value: statusText },
    { title: 'NODE', value: ({ status }) => orNone(status?.nodeName ?? '') },
    { title: 'CAPACITY', value: ({ status }) => status?.capacity['storage'] ?? '' },
    { title: 'ACCESS MODES', value: ({ status }) => modesText(status?.accessModes ?? []) },
    { title: 'STORAGECLASS', value: ({ spec }) => orNone(spec?.storageClassName ?? '') },
    ageColumn,
    { title: 'VOLUMEMODE', wide: true, value: ({ spec }) => spec?.volumeMode ?? none },
  ],
  selectableFields: { 'status.nodeName': ({ status }) => status?.nodeName ?? '' },
  // A node's agent wants to hear of the claims whose data it has.
  feedField: 'status.nodeName',
  validate: validateClaim,
  validateUpdate: validateClaimUpdate,
  example: 'kinds/persistentvolumeclaim.yaml',
});

/** Why the claim can't get storage, whatever the node; undefined when it can. */
export function claimProblem({ spec }: PersistentVolumeClaim): string | undefined {
  const { storageClassName = localStorageClass, volumeName = '' } = spec ?? {};
  if (volumeName !== '') return `asks for the PersistentVolume "${volumeName}", and there are none`;
  if (storageClassName === localStorageClass) return undefined;
  return `asks for the storage class "${storageClassName}", and there is only "${localStorageClass}"`;
}

function statusText({ metadata, status }: PersistentVolumeClaim): string {
  if (metadata?.deletionTimestamp) return 'Terminating';
  return status?.phase || 'Pending';
}

function modesText(modes: readonly string[]): string {
  return modes.map((mode) => shortModes[mode] ?? mode).join(',');
}

function validateClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  if (spec === undefined) return [];
  const errors: FieldError[] = [];
  const { accessModes } = spec;
  if (accessModes.includes('ReadWriteOncePod') && accessModes.length > 1) {
    errors.push({ path: 'spec.accessModes', message: 'ReadWriteOncePod must not stand beside other modes' });
  }
  const { storage } = spec.resources?.requests ?? {};
  const path = 'spec.resources.requests.storage';
  if (storage === undefined) errors.push({ path, message: 'must be set: how much storage is asked for' });
  else if ((parseQuantity(storage) ?? 1n) <= 0n) errors.push({ path, message: `"${storage}" must be more than 0` });
  return errors;
}

/** What somebody has data in does not change under them. */
function validateClaimUpdate(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const { resources: asked, ...rest } = next.spec ?? {};
  const { resources: had, ...before } = previous.spec ?? {};
  if (!isDeepStrictEqual(rest, before)) {
    errors.push({ path: 'spec', message: 'can not be changed; delete the claim, with its data, and make it anew' });
  }
  if (!isDeepStrictEqual(asked, had)) {
    errors.push({ path: 'spec.resources', message: 'can not be changed: the storage of a claim does not grow yet' });
  }
  const node = previous.metadata?.annotations[claimNodeAnnotation] ?? '';
  if (node !== '' && (next.metadata?.annotations[claimNodeAnnotation] ?? '') !== node) {
    const message = `the annotation ${claimNodeAnnotation} can not be changed: the data is on node "${node}"`;
    errors.push({ path: 'metadata.annotations', message });
  }
  return errors;
}
