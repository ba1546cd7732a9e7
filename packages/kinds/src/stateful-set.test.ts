import { applyDefaults } from '@navarch/machinery';
import { StatefulSet } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { statefulSet as kind } from './stateful-set.ts';

type Spec = NonNullable<Parameters<typeof StatefulSet.fromPartial>[0]['spec']>;

const labels = { app: 'db' };
const container = { name: 'c', image: 'db:1' };
const claim = (name: string, storage = '1Gi') => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: storage === '' ? {} : { storage } } },
});
function checked(spec: Spec, name = 'db') {
  const set = StatefulSet.fromPartial({
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
      ...spec,
    },
  });
  applyDefaults(kind.schema, set);
  kind.complete?.(set);
  return { set, paths: (kind.validate?.(set) ?? []).map(({ path }) => path) };
}
const withMount = (volumes: { name: string }[]) => ({
  metadata: { labels },
  spec: { containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }], volumes },
});

test('is rolled in order, from the last Pod to the first, and keeps its claims unless told otherwise', () => {
  expect(checked({}).set.spec).toMatchObject({
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  });
});

test('that becomes OnDelete forgets the partition that nobody asked for', () => {
  const { set, paths } = checked({ updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 0 } } });
  expect(paths).toEqual([]);
  expect(set.spec?.updateStrategy?.rollingUpdate).toBeUndefined();
});

test('containers may mount what the claims give', () => {
  expect(checked({ template: withMount([]), volumeClaimTemplates: [claim('data')] }).paths).toEqual([]);
  // Also where the template has a volume of that name: the claim wins.
  expect(checked({ template: withMount([{ name: 'data' }]), volumeClaimTemplates: [claim('data')] }).paths).toEqual([]);
});

describe('refused are', () => {
  test.each<{ name: string; spec?: Spec; setName?: string; path: string }>([
    { name: 'names that leave no room for labels', setName: 'd'.repeat(53), path: 'metadata.name' },
    {
      name: 'mounts of nothing',
      spec: { template: withMount([]) },
      path: 'spec.template.spec.containers[0].volumeMounts[0].name',
    },
    {
      name: 'steps of nothing',
      spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
      path: 'spec.updateStrategy.rollingUpdate.maxUnavailable',
    },
    {
      name: 'more than all',
      spec: { updateStrategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      path: 'spec.updateStrategy.rollingUpdate.maxUnavailable',
    },
    {
      name: 'a partition where nothing rolls',
      spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 2 } } },
      path: 'spec.updateStrategy.rollingUpdate',
    },
    {
      name: 'two claims of one name',
      spec: { volumeClaimTemplates: [claim('data'), claim('data')] },
      path: 'spec.volumeClaimTemplates[1].metadata.name',
    },
    {
      name: 'a claim without a name',
      spec: { volumeClaimTemplates: [claim('')] },
      path: 'spec.volumeClaimTemplates[0].metadata.name',
    },
    {
      name: 'a claim that asks for nothing',
      spec: { volumeClaimTemplates: [claim('data', '')] },
      path: 'spec.volumeClaimTemplates[0].spec.resources.requests.storage',
    },
  ])('$name', ({ spec = {}, setName, path }) => expect(checked(spec, setName).paths).toEqual([path]));
});
