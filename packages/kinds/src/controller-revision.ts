import { ControllerRevision } from '@navarch/proto';
import { none } from './columns.ts';
import { defineKind } from './define-kind.ts';

export const controllerRevision = defineKind('controllerRevision', ControllerRevision, {
  group: 'apps',
  plural: 'controllerrevisions',
  columns: [
    { title: 'CONTROLLER', value: ({ metadata }) => controllerText(metadata?.ownerReferences ?? []) },
    { title: 'REVISION', type: 'integer', value: ({ revision }) => revision },
  ],
  validate: ({ data }) => {
    // The schema says that it must be there.
    if (data === undefined || data === null || (typeof data === 'object' && !Array.isArray(data))) return [];
    return [{ path: 'data', message: 'must be an object' }];
  },
  example: 'kinds/controllerrevision.yaml',
});

type Reference = NonNullable<ControllerRevision['metadata']>['ownerReferences'][number];

/** `statefulset.apps/db` */
function controllerText(owners: readonly Reference[]): string {
  const owner = owners.find(({ controller }) => controller === true);
  if (owner === undefined) return none;
  const [group = '', version] = owner.apiVersion.split('/');
  return `${owner.kind.toLowerCase()}${version === undefined ? '' : `.${group}`}/${owner.name}`;
}
