import { pod } from '@navarch/kinds';
import { Pod, PodTemplateSpec, Resource } from '@navarch/proto';
import { expect, test } from 'vitest';

import { complete } from './admission/chain.ts';
import { type Manifest, refusalOf, step, viewOf } from './admission/step.fixture.ts';
import { createWrite } from './create.ts';
import { incoming } from './incoming.ts';
import { ObjectReader } from './shared-specs.ts';

const home: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
const priorityClass = (name: string, value: number): Manifest => {
  return { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, globalDefault: true };
};
const limitRange = (cpu: string): Manifest => {
  const limits = [{ type: 'Container', default: { cpu } }];
  return { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'limits' }, spec: { limits } };
};
const spec = (image: string, more: object = {}) => ({ containers: [{ name: 'web', image }], ...more });

/** An encoded Resource with a Pod. */
const request = (name: string, spec: object) => {
  const value = Pod.fromJSON({ metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec });
  return Buffer.from(Resource.encode({ revision: 0n, object: { $case: 'pod', value } }).finish());
};
const read = (encoded: Buffer) => Resource.decode(new ObjectReader(encoded));
const specIn = ({ object }: Resource) => (object?.$case === 'pod' ? object.value.spec : undefined);

/** What creating comes to: the stored bytes, or why not. */
const created = (resource: Resource, manager: string, state: readonly Manifest[]) => {
  const { circumstances } = step(viewOf(home, ...state), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } });
  let body: Uint8Array | undefined;
  const refusal = refusalOf(() => {
    ({ body } = createWrite(incoming(resource, undefined, manager)).prepare(circumstances));
  });
  return { body: body && Buffer.from(body), refusal };
};

test('a Pod comes out the same, byte for byte, whether others had its spec before or not', () => {
  const cases: { spec: object; manager?: string; state?: readonly Manifest[] }[] = [
    { spec: spec('web:1') },
    { spec: spec('web:1'), manager: 'me' },
    { spec: spec('web:1'), state: [priorityClass('high', 7)] },
    { spec: spec('web:1'), state: [priorityClass('higher', 9)] },
    { spec: spec('web:1'), state: [limitRange('2')] },
    { spec: spec('web:1') },
    { spec: spec('web 1') },
    { spec: spec('web:2', { priorityClassName: 'none' }) },
    { spec: spec('web:3', { restartPolicy: 'Sometimes', volumes: [{ name: 'a' }, { name: 'a' }] }) },
    { spec: {} },
  ];
  for (const { spec, manager = '', state = [] } of cases) {
    for (const name of ['a', 'b', 'Not a name', 'c', 'd']) {
      const encoded = request(name, spec);
      expect(created(read(encoded), manager, state), `${name} ${JSON.stringify(spec)}`).toEqual(
        created(Resource.decode(encoded), manager, state),
      );
    }
  }
});

test('a spec is shared from the second time on, and can not be changed', () => {
  const [first, second, third] = ['a', 'b', 'c'].map((name) => specIn(read(request(name, spec('shared:1')))));
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  expect(second).toEqual(first);
  expect(() => Object.assign(second?.containers[0] ?? {}, { image: 'other' })).toThrow(TypeError);
  expect(specIn(read(request('d', spec('shared:2'))))?.containers[0]?.image).toBe('shared:2');
});

test('a spec is still shared when all links of admission have completed it', () => {
  const completed = (name: string) => {
    const { circumstances } = step(viewOf(home), { apiVersion: 'v1', kind: 'Pod', metadata: { name } });
    const { object } = incoming(read(request(name, spec('completed:1'))));
    complete({ circumstances, kind: pod, next: object, previous: undefined });
    return object.spec;
  };
  const [, second, third] = ['a', 'b', 'c'].map(completed);
  expect(third).toBe(second);
});

test('only what came lately, and is not large, is shared', () => {
  const large = spec('large', { containers: [{ name: 'web', image: 'i'.repeat(8 * 1024) }] });
  const twice = (spec: object) => [1, 2, 3].map((n) => specIn(read(request(`a${n}`, spec))));
  const [, second, third] = twice(large);
  expect(third).not.toBe(second);
  const [, , kept] = twice(spec('kept'));
  for (let n = 0; n < 127; n++) read(request('b', spec(`other:${n}`)));
  expect(specIn(read(request('c', spec('kept'))))).toBe(kept);
  for (let n = 0; n < 128; n++) read(request('b', spec(`another:${n}`)));
  expect(specIn(read(request('c', spec('kept'))))).not.toBe(kept);
});

test('what is no spec is refused each time', () => {
  const broken = request('a', spec('broken'));
  broken[broken.indexOf('broken')] = 0xff;
  const cut = request('a', spec('cut')).subarray(0, -1);
  for (const _ of [1, 2, 3]) {
    expect(() => read(broken)).toThrow('encoded data was not valid');
    expect(() => read(cut)).toThrow(RangeError);
  }
});

test('templates of Pods are their own', () => {
  const bytes = PodTemplateSpec.encode(PodTemplateSpec.fromJSON({ spec: spec('template:1') })).finish();
  const [, second, third] = [1, 2, 3].map(() => PodTemplateSpec.decode(new ObjectReader(Buffer.from(bytes))).spec);
  expect(third).toEqual(second);
  expect(third).not.toBe(second);
  expect(pod.specAlone).toBe(true);
});
