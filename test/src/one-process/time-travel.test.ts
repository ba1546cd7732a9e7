import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 1 });
});
afterAll(() => cluster?.stop());

const seconds = (count: number) => cluster.time.pass(count * 1_000);
/** The store is compacted, and an api comes that has seen nothing of what was before. */
async function forget(): Promise<void> {
  await seconds(2); // in which what ended is kept
  await cluster.store.compact(await cluster.store.revision());
  await cluster.killApi();
  await cluster.startApi();
  // The lease of the one that was killed has to run out.
  await seconds(14);
}
const deployment = (name: string, image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image }] } },
  },
});
const configMap = (name: string, text: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { text },
});
const secret = (name: string, text: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  data: { text: Buffer.from(text).toString('base64') },
});
async function good(...args: string[]): Promise<string> {
  const { code, out, err } = await cluster.navctl(...args);
  expect({ args, code, err: code === 0 ? '' : err }).toEqual({ args, code: 0, err: '' });
  return out;
}
const revisionOf = async (target: string) => {
  const yaml = await good('get', target, '-o', 'yaml');
  return /resourceVersion: "?(\d+)/.exec(yaml)?.[1] ?? '';
};
const imageOf = async (name: string, ...more: string[]) =>
  /image: (\S+)/.exec(await good('get', `deploy/${name}`, '-o', 'yaml', ...more))?.[1];

describe('get --at', () => {
  test('shows what was so long ago, at a time, and at a revision', async () => {
    await cluster.apply(configMap('then', 'one'));
    const first = await revisionOf('cm/then');
    await seconds(20);
    await cluster.apply(configMap('then', 'two'), configMap('later', 'x'));
    await seconds(10);
    await good('delete', 'cm', 'later');
    for (const at of [first, '20s', new Date(cluster.time.clock.now() - 20_000).toISOString()]) {
      expect(await good('get', 'cm/then', '-o', 'yaml', '--at', at)).toContain('text: one');
      expect(await good('get', 'cm', '--at', at, '--no-headers')).toMatch(/^then +1 /);
    }
    expect(await good('get', 'cm', '-A', '-o', 'name', '--at', '5s')).toContain('configmap/later\n');
    expect((await cluster.navctl('get', 'cm', '--at', '5s')).err).toMatch(/^# revision \d+, \d{4}-/);
    expect(await cluster.navctl('get', 'cm/later', '--at', first)).toMatchObject({ code: 1 });
  });

  test.each([
    [['get', 'pods', '--at', 'lunch'], '"lunch" is no moment'],
    [['get', 'pods', '--at', '0'], 'is no moment'],
    [['get', 'events', '--at', '5m'], 'have no past'],
    [['get', 'pods', '-w', '--at', '5m'], 'choose one'],
    [['get', 'pods', '--at', '24h'], 'navctl history'],
  ])('%j says what is wrong', async (args, message) => {
    const { code, err } = await cluster.navctl(...args);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});

describe('diff', () => {
  test('-f shows what applying would change, and changes nothing; the exit code says whether', async () => {
    await cluster.apply(configMap('d', 'one'));
    const before = await revisionOf('cm/d');
    const diff = (...manifests: object[]) =>
      cluster.navctlWith(manifests.map((each) => JSON.stringify(each)).join('\n---\n'), 'diff', '-f', '-');
    expect(await diff(configMap('d', 'one'))).toEqual({ code: 0, out: '', err: '' });
    const { code, out } = await diff(configMap('d', 'two'), configMap('d-new', 'x'));
    expect(code).toBe(1);
    expect(out).toContain('--- LIVE/v1.ConfigMap.default.d\n+++ MERGED/v1.ConfigMap.default.d\n@@ ');
    expect(out).toContain('\n-  text: one\n+  text: two\n');
    expect(out).toContain('\n+  name: d-new\n');
    expect(out).not.toContain('resourceVersion');
    expect(await revisionOf('cm/d')).toBe(before);
    expect((await diff({ ...configMap('d', 'two'), dat: {} })).code).toBe(2);
    expect((await cluster.navctl('diff', 'cm/d')).err).toContain('--at 5m');
  });

  test('--at shows what has changed since, what came and what went; Secrets stay hidden', async () => {
    await cluster.apply(deployment('since', 'web:1'), secret('s', 'correct'), configMap('went', 'x'));
    const then = await revisionOf('deploy/since');
    await seconds(10);
    await cluster.apply(deployment('since', 'web:2'), secret('s', 'battery'), configMap('came', 'x'));
    await good('delete', 'cm', 'went');
    const { code, out } = await cluster.navctl('diff', 'deploy/since', '--at', '5s');
    expect(code).toBe(1);
    expect(out).toMatch(/^-.*image: web:1\n\+.*image: web:2$/m);
    const secrets = (await cluster.navctl('diff', 'secret', '--at', '5s')).out;
    expect(secrets).toContain('-  text: "*** (before)"\n+  text: "*** (after)"\n');
    expect(secrets).not.toContain(Buffer.from('battery').toString('base64'));
    const maps = (await cluster.navctl('diff', 'cm', '--at', '5s')).out;
    expect(maps).toContain('\n-  name: went\n');
    expect(maps).toContain('\n+  name: came\n');
    expect(await cluster.navctl('diff', 'deploy/since', '--at', await revisionOf('deploy/since'))).toMatchObject({
      code: 0,
      out: '',
    });
    expect((await cluster.navctl('diff', 'deploy/never', '--at', then)).code).toBe(2);
  });
});

describe('history and undo', () => {
  test('a change is undone, also long after the store has forgotten it', async () => {
    for (const image of ['web:1', 'web:2']) {
      await cluster.apply(deployment('web', image));
      await seconds(10);
    }
    const lines = (await good('history', 'deploy/web')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^REVISION +AGE +MANAGER +CHANGE$/);
    const changed = lines.filter((line) => line.includes('spec.template.spec.containers[0].image'));
    expect(changed).toHaveLength(1);
    await forget();
    const first = /^(\d+)/.exec(lines.at(-1) ?? '')?.[1] ?? '';
    expect((await cluster.navctl('get', 'deploy/web', '--at', first)).err).toContain('no longer kept');
    expect(await good('history', 'deploy/web', '-o', 'yaml')).toContain('image: web:1');
    expect(await good('undo', 'deploy/web', '--to', first, '--dry-run')).toContain('(server dry run)');
    expect(await imageOf('web')).toBe('web:2');
    expect(await good('undo', 'deploy/web')).toMatch(/^deployment.apps\/web rolled back to revision \d+\n$/);
    expect(await imageOf('web')).toBe('web:1');
    expect(await good('undo', 'deploy/web', '--to', first)).toContain('unchanged');
  });

  test('what is gone is made anew', async () => {
    await cluster.apply(deployment('gone', 'web:1'));
    await seconds(10);
    await good('delete', 'deploy', 'gone');
    await forget();
    expect(await good('history', 'deploy/gone')).toMatch(/ deleted$/m);
    expect(await good('undo', 'deploy/gone')).toMatch(/^deployment.apps\/gone made anew as it was at revision \d+\n$/);
    expect(await imageOf('gone')).toBe('web:1');
  });

  test('a Secret only while the store has it, and never what is not known', async () => {
    await cluster.apply(secret('word', 'one'));
    await seconds(10);
    await cluster.apply(secret('word', 'two'));
    await good('undo', 'secret/word', '--to', '5s');
    const data = async () => /text: (\S+)/.exec(await good('get', 'secret/word', '-o', 'yaml'))?.[1];
    expect(await data()).toBe(Buffer.from('one').toString('base64'));
    await forget();
    const { code, err } = await cluster.navctl('undo', 'secret/word');
    expect(code).toBe(1);
    expect(err).toContain("can't be undone");
    expect((await cluster.navctl('history', 'secret/word')).err).toContain('are not kept');
    expect((await cluster.navctl('undo', 'secret/word', '--to', '2')).err).toContain('not known any more');
    expect((await cluster.navctl('undo', 'secret/never')).err).toContain('not found');
  });
});
