import {
  customKinds,
  customResourceDefinition,
  deployment as deploymentKind,
  type KindDefinition,
  pod as podKind,
  replicaSet as replicaSetKind,
} from '@navarch/kinds';
import { ApiError, type KubeObject } from '@navarch/machinery';
import { CustomResourceDefinition, type OwnerReference, Scale } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deployment, pod, replicaSet } from '../objects.fixture.ts';
import { controllerReference, metadataOf } from '../ownership.ts';
import { World } from '../world.fixture.ts';
import { OwnerScales } from './owner-scales.ts';

const definition = CustomResourceDefinition.fromJSON({
  metadata: { name: 'fleets.example.com', uid: 'crd' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'fleets', singular: 'fleet', kind: 'Fleet' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object' } },
        subresources: { scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
      },
    ],
  },
  status: {
    acceptedNames: { plural: 'fleets', singular: 'fleet', kind: 'Fleet' },
    conditions: [{ type: 'Established', status: 'True' }],
    storedVersions: ['v1'],
  },
});

let world: World;
let scales: OwnerScales;
beforeEach(async () => {
  world = new World();
  world.lagMs = 0;
  scales = new OwnerScales(world, {
    getScale: async (kind, { name }) => {
      if (name !== 'big') throw new ApiError('NotFound', `${kind.plural} ${name}`);
      return Scale.fromJSON({ metadata: { name, uid: 'fleet-uid' }, spec: { replicas: 12 } });
    },
  });
  await world.write({ type: 'create', kind: customResourceDefinition, object: definition });
  const [made] = world.all(customResourceDefinition);
  await world.write({
    type: 'updateStatus',
    kind: customResourceDefinition,
    object: { ...definition, metadata: made?.metadata },
  });
});
afterEach(() => world.end());

const made = async (kind: KindDefinition, object: { readonly metadata: { readonly name: string } }) => {
  await world.write({ type: 'create', kind, object: object as KubeObject }); // of the kind, by the calls below
  const key = { namespace: 'default', name: object.metadata.name };
  await waitFor(() => world.lister(kind).get(key) !== undefined);
  return controllerReference(kind, { metadata: metadataOf(world.lister(kind).get(key) ?? {}) });
};
const of = (owner: OwnerReference) => scales.of(owner, 'default', new AbortController().signal);

test('a ReplicaSet wants what its Deployment wants, however its own number moves, or what it says itself', async () => {
  const alone = await made(replicaSetKind, replicaSet('alone', { spec: { replicas: 4 } }));
  expect(await of(alone)).toBe(4);
  const web = await made(deploymentKind, deployment({ spec: { replicas: 9 } }));
  const object = replicaSet('web-1', { spec: { replicas: 2 }, metadata: { ownerReferences: [web] } });
  expect(await of(await made(replicaSetKind, object))).toBe(9);
});

test('an owner that is another object by now, is not there or can not be scaled says nothing', async () => {
  const alone = await made(replicaSetKind, replicaSet('alone'));
  expect(await of({ ...alone, uid: 'another' })).toBeUndefined();
  expect(await of({ ...alone, name: 'nobody' })).toBeUndefined();
  expect(await of(await made(podKind, pod('p')))).toBeUndefined();
  expect(await of({ ...alone, apiVersion: 'example.com/v1', kind: 'Unheard' })).toBeUndefined();
});

test('of a custom kind with a scale the api is asked', async () => {
  await waitFor(() =>
    world
      .lister(customResourceDefinition)
      .list()
      .some((each) => customKinds(each).length > 0),
  );
  const fleet = { apiVersion: 'example.com/v1', kind: 'Fleet', name: 'big', uid: 'fleet-uid' };
  const owner = (more: object): OwnerReference => ({ controller: true, blockOwnerDeletion: true, ...fleet, ...more });
  expect(await of(owner({}))).toBe(12);
  expect(await of(owner({ uid: 'another' }))).toBeUndefined();
  expect(await of(owner({ name: 'gone' }))).toBeUndefined();
});
