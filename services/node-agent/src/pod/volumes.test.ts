import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Volume, VolumeMount } from '@navarch/proto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeAtomically } from './atomic-files.ts';
import { aPod, container } from './pod.fixture.ts';
import { Volumes } from './volumes.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nv-volumes-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const file = (path: string, text: string, mode = 0o644) => ({ path, data: Buffer.from(text), mode });
const read = (...path: string[]) => readFile(join(dir, ...path), 'utf8');

describe('files that change together', () => {
  test('appear under their names, with their modes', async () => {
    expect(await writeAtomically(dir, [file('a', '1'), file('sub/b', '2', 0o600)])).toBe(true);
    expect([await read('a'), await read('sub/b')]).toEqual(['1', '2']);
    expect((await stat(join(dir, 'sub/b'))).mode & 0o777).toBe(0o600);
    expect(await readlink(join(dir, 'a'))).toBe('..data/a');
  });

  test('are left alone when nothing changed', async () => {
    await writeAtomically(dir, [file('a', '1')]);
    const before = await readlink(join(dir, '..data'));
    expect(await writeAtomically(dir, [file('a', '1')])).toBe(false);
    expect(await readlink(join(dir, '..data'))).toBe(before);
  });

  test('change at one moment, and what is no longer there goes', async () => {
    await writeAtomically(dir, [file('a', '1'), file('b', '1')]);
    await writeAtomically(dir, [file('a', '2'), file('c', '2')]);
    expect([await read('a'), await read('c')]).toEqual(['2', '2']);
    expect((await readdir(dir)).filter((name) => !name.startsWith('..')).sort()).toEqual(['a', 'c']);
    expect((await readdir(dir)).filter((name) => name.startsWith('..2'))).toHaveLength(1);
  });

  test('can become none', async () => {
    await writeAtomically(dir, [file('a', '1')]);
    await writeAtomically(dir, []);
    expect((await readdir(dir)).filter((name) => !name.startsWith('..'))).toEqual([]);
  });
});

describe('volumes', () => {
  const settings = new Map([
    ['key', Buffer.from('value')],
    ['other', Buffer.from('x')],
  ]);
  const make = () =>
    new Volumes({
      root: dir,
      allocatable: { cpuMillis: 2000, memoryBytes: 2 ** 30 },
      config: {
        configMap: async (_, name) => (name === 'settings' ? settings : undefined),
        secret: async () => undefined,
      },
      claims: {
        directory: async (_, name) => {
          if (name !== 'data') throw new Error(`claim "${name}" not found`);
          await mkdir(join(dir, 'claims/c1/data'), { recursive: true });
          return join(dir, 'claims/c1/data');
        },
      },
    });
  const podWith = (volume: Parameters<typeof Volume.fromPartial>[0], mount: Partial<VolumeMount> = {}) =>
    aPod({
      volumes: [Volume.fromPartial({ name: 'v', ...volume })],
      containers: [container({ volumeMounts: [VolumeMount.fromPartial({ name: 'v', mountPath: '/v', ...mount })] })],
    });
  const mountOf = async (volumes: Volumes, pod: ReturnType<typeof aPod>) =>
    (await volumes.mounts(pod, pod.spec.containers[0] ?? container()))[0];

  test('an emptyDir can be written by anybody and goes with the Pod', async () => {
    const pod = podWith({ emptyDir: {} });
    const volumes = make();
    await volumes.prepare(pod);
    const mount = await mountOf(volumes, pod);
    expect(mount).toMatchObject({ containerPath: '/v', readonly: false });
    expect((await stat(mount?.hostPath ?? '')).mode & 0o777).toBe(0o777);
    await volumes.remove('u1');
    expect(await readdir(dir)).toEqual([]);
  });

  test('a ConfigMap shows all keys, or those chosen', async () => {
    const volumes = make();
    const all = podWith({ configMap: { name: 'settings' } });
    await volumes.prepare(all);
    expect(await read('u1/volumes/v/key')).toBe('value');
    expect(await mountOf(volumes, all)).toMatchObject({ readonly: true });
    await volumes.prepare(
      podWith({ configMap: { name: 'settings', items: [{ key: 'other', path: 'deep/name', mode: 0o400 }] } }),
    );
    expect(await read('u1/volumes/v/deep/name')).toBe('x');
  });

  const downwardApi = {
    items: [
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' }, mode: 0o400 },
      { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' } },
    ],
  };

  test('the Pod’s own fields become files, and labels follow their changes', async () => {
    const volumes = make();
    const labelled = (labels: Record<string, string>) => {
      const pod = podWith({ downwardApi });
      return { ...pod, metadata: { ...pod.metadata, labels } };
    };
    await volumes.prepare(labelled({ b: 'two "2"', a: 'one' }));
    expect(await read('u1/volumes/v/name')).toBe('web');
    expect(await read('u1/volumes/v/labels')).toBe('a="one"\nb="two \\"2\\""');
    expect(await read('u1/volumes/v/cpu')).toBe('2000');
    expect((await stat(join(dir, 'u1/volumes/v/labels'))).mode & 0o777).toBe(0o400);
    const changed = labelled({ a: 'three' });
    await volumes.prepare(changed);
    expect(await read('u1/volumes/v/labels')).toBe('a="three"');
    expect(await mountOf(volumes, changed)).toMatchObject({ readonly: true });
  });

  test('one directory shows files of several sources', async () => {
    const volumes = make();
    const pod = podWith({
      projected: {
        defaultMode: 0o440,
        sources: [
          { configMap: { name: 'settings' } },
          { downwardApi },
          { configMap: { name: 'settings', items: [{ key: 'other', path: 'key' }] } },
          { configMap: { name: 'none', optional: true } },
        ],
      },
    });
    await volumes.prepare(pod);
    expect((await readdir(join(dir, 'u1/volumes/v'))).filter((name) => !name.startsWith('..')).sort()).toEqual([
      'cpu',
      'key',
      'labels',
      'name',
      'other',
    ]);
    expect(await read('u1/volumes/v/key')).toBe('x');
    expect((await stat(join(dir, 'u1/volumes/v/other'))).mode & 0o777).toBe(0o440);
    expect(await mountOf(volumes, pod)).toMatchObject({ readonly: true });
  });

  test('a claim outlives the Pod', async () => {
    const volumes = make();
    const pod = podWith({ persistentVolumeClaim: { claimName: 'data' } });
    await volumes.prepare(pod);
    const mount = await mountOf(volumes, pod);
    expect(mount).toMatchObject({ hostPath: join(dir, 'claims/c1/data'), readonly: false });
    await writeFile(join(mount?.hostPath ?? '', 'x'), 'kept');
    await volumes.remove('u1');
    expect(await read('claims/c1/data/x')).toBe('kept');
  });

  test('a claim can be lent for reading, and in part', async () => {
    const volumes = make();
    const readOnly = podWith({ persistentVolumeClaim: { claimName: 'data', readOnly: true } });
    await volumes.prepare(readOnly);
    expect(await mountOf(volumes, readOnly)).toMatchObject({ readonly: true });
    const part = podWith({ persistentVolumeClaim: { claimName: 'data' } }, { subPath: 'inner' });
    expect(await mountOf(volumes, part)).toMatchObject({ hostPath: join(dir, 'claims/c1/data/inner') });
    await symlink('/etc', join(dir, 'claims/c1/data/trap'));
    const trap = podWith({ persistentVolumeClaim: { claimName: 'data' } }, { subPath: 'trap' });
    await expect(mountOf(volumes, trap)).rejects.toThrow('leads out of its volume');
  });

  test.each([
    {
      name: 'a missing claim',
      volume: { persistentVolumeClaim: { claimName: 'none' } },
      message: 'claim "none" not found',
    },
    {
      name: 'a missing ConfigMap',
      volume: { configMap: { name: 'none' } },
      message: 'ConfigMap "none" of volume "v" not found',
    },
    {
      name: 'a missing Secret',
      volume: { secret: { secretName: 'none' } },
      message: 'Secret "none" of volume "v" not found',
    },
    {
      name: 'a missing ConfigMap among several sources',
      volume: { projected: { sources: [{ configMap: { name: 'settings' } }, { configMap: { name: 'none' } }] } },
      message: 'ConfigMap "none" of volume "v" not found',
    },
    {
      name: 'a missing key',
      volume: { configMap: { name: 'settings', items: [{ key: 'nope', path: 'x' }] } },
      message: 'key "nope" of volume "v" not found',
    },
    {
      name: 'a path that leads out',
      volume: { configMap: { name: 'settings', items: [{ key: 'key', path: '../../x' }] } },
      message: 'leads out of its volume',
    },
    {
      name: 'a hostPath that is not there',
      volume: { hostPath: { path: '/no/such/dir', type: 'Directory' } },
      message: '/no/such/dir',
    },
  ])('refuse $name', async ({ volume, message }) => {
    await expect(make().prepare(podWith(volume))).rejects.toThrow(message);
  });

  test('start without what is optional', async () => {
    await make().prepare(podWith({ configMap: { name: 'none', optional: true } }));
    expect((await readdir(join(dir, 'u1/volumes/v'))).filter((name) => !name.startsWith('..'))).toEqual([]);
  });

  test('a subPath never leads out of its volume', async () => {
    const volumes = make();
    const pod = podWith({ emptyDir: {} }, { subPath: 'inner' });
    await volumes.prepare(pod);
    expect((await mountOf(volumes, pod))?.hostPath).toBe(join(dir, 'u1/volumes/v/inner'));
    await mkdir(join(dir, 'elsewhere'));
    await writeFile(join(dir, 'elsewhere/secret'), '');
    await symlink(join(dir, 'elsewhere'), join(dir, 'u1/volumes/v/trap'));
    await expect(mountOf(volumes, podWith({ emptyDir: {} }, { subPath: 'trap' }))).rejects.toThrow(
      'leads out of its volume',
    );
    await expect(mountOf(volumes, podWith({ emptyDir: {} }, { subPath: '../x' }))).rejects.toThrow(
      'leads out of its volume',
    );
  });
});
