import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../cluster.ts';
import type { Kubectl } from '../../kubectl.ts';
import type { List, Meta } from '../../shapes.ts';

interface ConfigMapJson {
  readonly metadata: Meta & { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

const settings = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'by-kubectl' },
  data,
});

/** Every way in which kubectl writes and reads an object. */
export function kubectlObjects(cluster: () => Cluster, kubectl: () => Kubectl): void {
  const read = () => kubectl().json<ConfigMapJson>('get', 'configmap', 'by-kubectl');

  describe('kubectl and objects', () => {
    test('apply makes, changes and leaves alone; diff tells beforehand', async () => {
      expect(await kubectl().apply(settings({ colour: 'blue', depth: '3' }))).toBe('configmap/by-kubectl created\n');
      expect(await kubectl().apply(settings({ colour: 'blue', depth: '3' }))).toBe('configmap/by-kubectl unchanged\n');
      const changed = settings({ colour: 'green' });
      const diff = await kubectl().attempt(['diff', '-f', '-'], JSON.stringify(changed));
      expect(diff.code).toBe(1); // kubectl's way to say that there is a difference
      expect(diff.stdout).toMatch(/^-\s+colour: blue$/m);
      expect(diff.stdout).toMatch(/^\+\s+colour: green$/m);
      expect((await read()).data).toEqual({ colour: 'blue', depth: '3' });
      expect(await kubectl().apply(changed)).toBe('configmap/by-kubectl configured\n');
      expect((await read()).data).toEqual({ colour: 'green' });
    });

    test.each([
      ['merge', '{"data":{"merged":"yes"}}', { colour: 'green', merged: 'yes' }],
      ['json', '[{"op":"remove","path":"/data/merged"}]', { colour: 'green' }],
      ['strategic', '{"data":{"strategic":"yes"}}', { colour: 'green', strategic: 'yes' }],
    ])('patch --type=%s', async (type, patch, data) => {
      expect(await kubectl().run('patch', 'configmap', 'by-kubectl', `--type=${type}`, '-p', patch)).toContain(
        'configmap/by-kubectl patched',
      );
      expect((await read()).data).toEqual(data);
    });

    test('replace, label and annotate', async () => {
      const replaced = await kubectl().attempt(['replace', '-f', '-'], JSON.stringify(settings({ colour: 'red' })));
      expect(replaced).toMatchObject({ code: 0, stdout: 'configmap/by-kubectl replaced\n' });
      await kubectl().run('label', 'configmap', 'by-kubectl', 'tier=test');
      await kubectl().run('annotate', 'configmap', 'by-kubectl', 'note=kept');
      const { metadata, data } = await read();
      expect({ labels: metadata.labels, note: metadata.annotations?.['note'], data }).toEqual({
        labels: { tier: 'test' },
        note: 'kept',
        data: { colour: 'red' },
      });
      const { items } = await kubectl().json<List<ConfigMapJson>>('get', 'configmaps', '-l', 'tier=test');
      expect(items.map((each) => each.metadata.name)).toEqual(['by-kubectl']);
    });

    test('edit opens what is there and writes what was changed', async () => {
      const editor = join(cluster().home, 'editor.sh');
      mkdirSync(cluster().home, { recursive: true });
      writeFileSync(editor, '#!/bin/sh\nsed -i "s/colour: red/colour: edited/" "$1"\n', { mode: 0o755 });
      const before = kubectl().env['KUBE_EDITOR'];
      kubectl().env['KUBE_EDITOR'] = editor;
      try {
        expect(await kubectl().run('edit', 'configmap', 'by-kubectl')).toContain('configmap/by-kubectl edited');
      } finally {
        kubectl().env['KUBE_EDITOR'] = before;
      }
      expect((await read()).data).toEqual({ colour: 'edited' });
    });

    test('apply --server-side: a conflict names the other manager, and force takes the field', async () => {
      const manifest = JSON.stringify(settings({ colour: 'mine' }));
      const refused = await kubectl().attempt(['apply', '--server-side', '--field-manager=other', '-f', '-'], manifest);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('data.colour was set by "kubectl-edit"');
      const forced = await kubectl().attempt(
        ['apply', '--server-side', '--force-conflicts', '--field-manager=other', '-f', '-'],
        manifest,
      );
      expect(forced).toMatchObject({ code: 0, stdout: 'configmap/by-kubectl serverside-applied\n' });
      expect((await read()).data).toEqual({ colour: 'mine' });
    });

    test('create, get -w and delete: the watch shows each step', async () => {
      const watching = kubectl().follow('get', 'configmaps', '--watch', '--output-watch-events');
      await watching.shows(/ADDED\s+by-kubectl\s/);
      await kubectl().run('create', 'configmap', 'watched', '--from-literal=a=1');
      await watching.shows(/ADDED\s+watched\s/);
      await kubectl().run('delete', 'configmap', 'watched');
      await watching.shows(/DELETED\s+watched\s/);
      await watching.stop();
      const shown = watching
        .text()
        .split('\n')
        .map((line) => line.split(/\s+/));
      expect(shown.filter(([, name]) => name === 'watched').map(([event]) => event)).toEqual(['ADDED', 'DELETED']);
    });

    test('what is wrong is refused with the path, and changes nothing', async () => {
      const wrong = JSON.stringify({ ...settings({ colour: 'x' }), dada: { colour: 'y' } });
      const refused = await kubectl().attempt(['apply', '-f', '-'], wrong);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('dada: unknown field; did you mean "data"?');
      const missing = await kubectl().attempt(['get', 'configmap', 'nowhere']);
      expect(missing).toMatchObject({
        code: 1,
        stderr: 'Error from server (NotFound): configmaps "nowhere" not found\n',
      });
      expect((await read()).data).toEqual({ colour: 'mine' });
    });

    test('describe and explain', async () => {
      expect(await kubectl().run('describe', 'configmap', 'by-kubectl')).toMatch(/^Name:\s+by-kubectl$/m);
      const explained = await kubectl().run('explain', 'deployment.spec.strategy.rollingUpdate.maxSurge');
      expect(explained).toContain('KIND:       Deployment');
      expect(explained).toContain('FIELD: maxSurge');
    });

    test('api-resources, api-versions and get --raw', async () => {
      const resources = await kubectl().run('api-resources');
      expect(resources).toMatch(/^deployments\s+deploy\s+apps\/v1\s+true\s+Deployment$/m);
      expect(resources).toMatch(/^nodes\s+no\s+v1\s+false\s+Node$/m);
      expect((await kubectl().run('api-versions')).split('\n')).toEqual(
        expect.arrayContaining(['v1', 'apps/v1', 'batch/v1']),
      );
      expect(JSON.parse(await kubectl().run('get', '--raw', '/api/v1/namespaces/default'))).toMatchObject({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'default' },
      });
      expect(await kubectl().run('get', '--raw', '/readyz')).toBe('ok');
    });

    test('auth whoami and can-i', async () => {
      expect(await kubectl().run('auth', 'whoami')).toContain('system:masters');
      expect(await kubectl().run('auth', 'can-i', 'delete', 'pods')).toBe('yes\n');
      const other = await kubectl().attempt(['auth', 'can-i', 'delete', 'pods', '--as=nobody-special']);
      expect(other).toMatchObject({ code: 1, stdout: 'no\n' });
      const refused = await kubectl().attempt(['get', 'pods', '--as=nobody-special']);
      expect(refused.stderr).toBe(
        'Error from server (Forbidden): pods is forbidden: User "nobody-special" cannot list resource "pods" in API group "" in the namespace "default"\n',
      );
    });
  });
}
