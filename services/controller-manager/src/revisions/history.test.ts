import { revisionHashLabel, replicaSet as kind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { ControllerRevision, PodSpec, PodTemplateSpec } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lines, live, replicaSet } from '../objects.fixture.ts';
import { forgotten, hashOf, type History, historyOf } from './history.ts';
import { dataOf, templateOf } from './template-data.ts';

const template = (image: string) =>
  PodTemplateSpec.fromPartial({
    metadata: { labels: { app: 'db' }, annotations: { 'example.com/x': 'y' } },
    spec: { containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }] },
  });
/** What the history is of matters not; any kind with a template will do. */
const owner = (image: string, more: { revisionHistoryLimit?: number } = {}) => {
  const set = replicaSet('db', { metadata: { annotations: { 'kubernetes.io/change-cause': 'why' } } });
  return { ...set, spec: { ...set.spec, template: template(image), ...more } };
};

/** A cluster's revisions: what is written becomes true. */
class Revisions {
  all: Live<ControllerRevision>[] = [];
  collisions = 0;
  readonly taken = { has: (name: string) => this.all.some(({ metadata }) => metadata.name === name) };

  record(image: string): History {
    const history = historyOf(kind, owner(image), this.all, this);
    this.collisions = history.collisions;
    if (history.write !== undefined) {
      const { update } = history;
      const made = { ...update, metadata: { ...update.metadata, uid: `uid-${update.metadata.name}` } };
      this.all = [...this.all.filter(({ metadata }) => metadata.name !== made.metadata.name), live(made)];
    }
    return history;
  }

  /** Revision numbers by image. */
  get numbers() {
    return Object.fromEntries(this.all.map((one) => [templateOf(one)?.spec?.containers[0]?.image, one.revision]));
  }
}

describe('a new template', () => {
  test('is made the newest revision, with the template’s labels, the owner’s annotations and a hash', () => {
    const revisions = new Revisions();
    const { write, update } = revisions.record('nginx');
    expect(lines(write === undefined ? [] : [write])).toEqual([`create controllerrevision db-${hashOf(update)}`]);
    expect(update).toMatchObject({
      revision: 1,
      metadata: {
        labels: { app: 'db', [revisionHashLabel]: expect.stringMatching(/^[a-z0-9]{10}$/) },
        annotations: { 'kubernetes.io/change-cause': 'why' },
        ownerReferences: [{ name: 'db', controller: true }],
      },
    });
  });

  test('is the same revision when the decision is made twice from a stale cache', () => {
    expect(new Revisions().record('nginx').update).toEqual(new Revisions().record('nginx').update);
  });

  test('gets another name when its name is somebody else’s', () => {
    const revisions = new Revisions();
    const { update } = historyOf(kind, owner('nginx'), [], revisions);
    const taken = { has: (name: string) => name === update.metadata.name };
    const other = historyOf(kind, owner('nginx'), [], { taken, collisions: 0 });
    expect(other.update.metadata.name).not.toBe(update.metadata.name);
    expect(other.collisions).toBe(1);
  });
});

test('a template that is recorded is not recorded again', () => {
  const revisions = new Revisions();
  revisions.record('nginx');
  expect(revisions.record('nginx').write).toBeUndefined();
});

test('a template with empty parts is that without them: a client of Go types makes no revision', () => {
  const revisions = new Revisions();
  revisions.record('nginx');
  const { spec, ...set } = owner('nginx');
  const typed = {
    ...spec.template,
    spec: PodSpec.fromPartial({
      ...spec.template.spec,
      containers: spec.template.spec?.containers.map((container) => ({ ...container, resources: {} })) ?? [],
      securityContext: {},
    }),
  };
  const { write } = historyOf(kind, { ...set, spec: { ...spec, template: typed } }, revisions.all, revisions);
  expect(write).toBeUndefined();
});

test('a rollback makes no revision: the one of that template becomes the newest again', () => {
  const revisions = new Revisions();
  for (const image of ['a', 'b', 'c']) revisions.record(image);
  const { write, update } = revisions.record('a');
  expect(lines(write === undefined ? [] : [write])).toEqual([`update controllerrevision ${update.metadata.name}`]);
  expect(revisions.numbers).toEqual({ b: 2, c: 3, a: 4 });
});

describe('forgetting', () => {
  const after = (limit: number, inUse: readonly string[]) => {
    const revisions = new Revisions();
    for (const image of ['a', 'b', 'c', 'd']) revisions.record(image);
    const nameOf = (image: string) =>
      revisions.all.find((one) => templateOf(one)?.spec?.containers[0]?.image === image)?.metadata.name ?? '';
    const names = new Set(inUse.map(nameOf));
    const gone = forgotten(owner('d', { revisionHistoryLimit: limit }), revisions.all, names);
    return ['a', 'b', 'c', 'd'].filter((image) =>
      gone.some((write) => write.type === 'delete' && write.key.name === nameOf(image)),
    );
  };
  test.each([
    { name: 'keeps as many old ones as the limit says, the newest', limit: 1, inUse: ['d'], gone: ['a', 'b'] },
    { name: 'keeps nothing old with a limit of 0', limit: 0, inUse: ['d'], gone: ['a', 'b', 'c'] },
    {
      name: 'never takes one that Pods are of, however old, and doesn’t count it',
      limit: 1,
      inUse: ['a', 'd'],
      gone: ['b'],
    },
    { name: 'takes nothing within the limit', limit: 3, inUse: ['d'], gone: [] },
  ])('$name', ({ limit, inUse, gone }) => expect(after(limit, inUse)).toEqual(gone));
});

describe('the template in a revision', () => {
  test('comes out as it went in, and stands there as in a manifest', () => {
    expect(templateOf({ data: dataOf(template('nginx')) })).toEqual(template('nginx'));
    expect(dataOf(template('nginx'))).toMatchObject({
      spec: { template: { $patch: 'replace', spec: { containers: [{ image: 'nginx' }] } } },
    });
  });

  test.each([{ data: undefined }, { data: {} }, { data: 'x' }, { data: { spec: null } }])(
    'is absent from $data',
    ({ data }) => expect(templateOf({ data })).toBeUndefined(),
  );
});

test('after any changes each template has one revision, the newest is today’s, and then nothing is written', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }), (images) => {
      const revisions = new Revisions();
      for (const image of images) {
        const { update } = revisions.record(image);
        expect(Math.max(...revisions.all.map(({ revision }) => revision))).toBe(update.revision);
        expect(templateOf(update)).toEqual(template(image));
        expect(revisions.record(image).write).toBeUndefined();
      }
      expect(revisions.all).toHaveLength(new Set(images).size);
      expect(new Set(revisions.all.map(({ revision }) => revision)).size).toBe(revisions.all.length);
    }),
  );
});
