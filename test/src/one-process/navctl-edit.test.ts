import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { commandLines } from './command-lines.fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
let dir = '';
const { navctl, good } = commandLines(() => cluster);
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'navctl-'));
  cluster = await ClusterInProcess.start({ nodes: 1 });
  await good('create configmap one --from-literal=a=1');
  await good('create configmap two --from-literal=a=1');
});
afterAll(async () => {
  await cluster.stop();
  await rm(dir, { recursive: true });
});

/** Edits with a shell script that gets the file as $1, and the times that it was opened as $2. What it saw is in seen-1, seen-2 … */
async function edit(line: string, script: string) {
  const editor = join(dir, 'editor');
  const times = `n=$(ls ${dir} | grep -c '^seen-'); n=$((n + 1)); cp "$1" ${dir}/seen-$n; set -- "$1" $n`;
  await Promise.all((await seenFiles()).map((name) => rm(join(dir, name))));
  await writeFile(editor, `#!/bin/sh\n${times}\n${script}\n`);
  await chmod(editor, 0o755);
  const env = { KUBE_EDITOR: editor, PATH: process.env['PATH'] ?? '' };
  const result = await cluster.navctlIn(env, 'edit', ...line.split(' '));
  const seen = await Promise.all((await seenFiles()).map((name) => readFile(join(dir, name), 'utf8')));
  return { ...result, seen };
}

async function seenFiles(): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.startsWith('seen-')).sort();
}

const dataOf = async (name: string) => {
  const { data } = JSON.parse(await good(`get cm ${name} -o json`)) as { data: Record<string, string> };
  return data;
};

describe('edit', () => {
  test('sends what was changed', async () => {
    const { code, out, err, seen } = await edit('cm/one', `sed -i 's/a: "1"/a: "2"/' $1`);
    expect({ code, out, err }).toEqual({ code: 0, out: 'configmap/one edited\n', err: '' });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatch(/^# .*\n# .*\n#\napiVersion: v1\nkind: ConfigMap\n/);
    expect(seen[0]).not.toContain('managedFields');
    expect(await dataOf('one')).toEqual({ a: '2' });
  });

  test('in a file that nobody else can read, and that is gone in the end', async () => {
    const { seen } = await edit('cm/one', `stat -c '%a' $1 > ${dir}/mode; echo $1 > ${dir}/path; true`);
    expect(seen).toHaveLength(1);
    expect(await readFile(join(dir, 'mode'), 'utf8')).toBe('600\n');
    await expect(readFile((await readFile(join(dir, 'path'), 'utf8')).trim())).rejects.toThrow('ENOENT');
  });

  test('changes nothing when nothing was changed, or the file is empty', async () => {
    expect(await edit('cm/one', 'true')).toMatchObject({
      code: 0,
      out: '',
      err: 'Edit cancelled: nothing was changed.\n',
    });
    expect(await edit('cm/one', ': > $1')).toMatchObject({
      code: 0,
      out: '',
      err: 'Edit cancelled: the file is empty.\n',
    });
  });

  test('opens again with what is wrong, at the place where it now stands', async () => {
    const script = `if [ $2 = 1 ]; then sed -i 's/^data:/dataa:/' $1; else sed -i 's/^dataa:/data:/; s/a: "2"/a: "3"/' $1; fi`;
    const { code, out, seen } = await edit('cm/one', script);
    expect({ code, out }).toEqual({ code: 0, out: 'configmap/one edited\n' });
    const [, again = ''] = seen;
    const [, row] = /^# {3}line (\d+):\d+ dataa: unknown field; did you mean "data"\?$/m.exec(again) ?? [];
    expect(again.split('\n')[Number(row) - 1]).toBe('dataa:');
    expect(await dataOf('one')).toEqual({ a: '3' });
  });

  test('tells what the server refuses, and keeps what was written when nobody puts it right', async () => {
    const { code, out, err, seen } = await edit('cm/one', `sed -i 's/^  name: one/  name: other/' $1`);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(seen).toHaveLength(2);
    expect(err).toContain("configmap/other: kind, name and namespace can't be changed");
    const path = /kept in (\S+)/.exec(err)?.[1] ?? '';
    expect(await readFile(path, 'utf8')).toContain('name: other');
    await rm(join(path, '..'), { recursive: true });
  });

  test('several objects: only those that were changed are sent', async () => {
    const { code, out, seen } = await edit('cm one two', `sed -i '/name: two/,$ s/$/ /; s/a: "1"/a: "9"/' $1`);
    expect({ code, out }).toEqual({ code: 0, out: 'configmap/two edited\n' });
    expect(seen[0]).toContain('\n---\n');
    expect(await dataOf('two')).toEqual({ a: '9' });
  });

  test('as JSON', async () => {
    const { out, seen } = await edit('cm/two -o json', `sed -i 's/"a": "9"/"a": "10"/' $1`);
    expect(out).toBe('configmap/two edited\n');
    expect(seen[0]).toContain('"kind": "ConfigMap"');
  });

  test('does not overwrite what somebody else wrote meanwhile', async () => {
    const patch = { metadata: { labels: { by: 'other' } } };
    const navctlJs = join(process.cwd(), 'packages/cli/bin/navctl.js');
    const meanwhile = `[ $2 = 1 ] && node ${navctlJs} -s ${cluster.address} patch cm two -p '${JSON.stringify(patch)}' >&2; sed -i 's/a: "10"/a: "11"/' $1`;
    const { code, err } = await edit('cm/two', meanwhile);
    expect(code).toBe(1);
    expect(err).toContain('was changed in this moment by somebody else');
    expect(await dataOf('two')).toEqual({ a: '10' });
  });

  test('says which editor is wrong', async () => {
    const env = { EDITOR: 'no-such-editor', PATH: process.env['PATH'] ?? '' };
    const { code, err } = await cluster.navctlIn(env, 'edit', 'cm/one');
    expect(code).toBe(1);
    expect(err).toBe('error: the editor "no-such-editor" was not found; KUBE_EDITOR or EDITOR names another\n');
    expect((await navctl('edit cm/nothing')).err).toContain('NotFound');
    expect((await navctl('edit cm -l no=such')).err).toBe('error: there is nothing to edit\n');
  });
});

describe('replace', () => {
  const file = () => join(dir, 'replaced.json');
  const write = (object: object) => writeFile(file(), JSON.stringify(object));
  const settings = (more: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'r' }, ...more });

  test('what a manifest does not say is gone', async () => {
    await good('create configmap r --from-literal=a=1 --from-literal=b=2');
    await good('label cm r x=y');
    await write(settings({ data: { c: '3' } }));
    expect(await good(`replace -f ${file()}`)).toBe('configmap/r replaced\n');
    expect(await dataOf('r')).toEqual({ c: '3' });
    expect(await good('label cm r --list')).toBe('');
    expect(await good(`replace -f ${file()} --dry-run -o name`)).toBe('configmap/r\n');
  });

  test('only what is there, and only the version that is named', async () => {
    await write(settings({ metadata: { name: 'r', resourceVersion: '1' } }));
    expect((await navctl(`replace -f ${file()}`)).err).toContain('Conflict');
    await write(settings({ metadata: { name: 'nobody' } }));
    expect((await navctl(`replace -f ${file()}`)).err).toContain('NotFound');
    expect((await navctl('replace')).err).toContain("required option '-f, --filename <path>' not specified");
  });

  test('a Service keeps the address that it was given', async () => {
    await good('create service clusterip kept --tcp=80');
    const spec = { selector: { app: 'x' }, ports: [{ port: 81 }] };
    await write({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'kept' }, spec });
    expect(await good(`replace -f ${file()}`)).toBe('service/kept replaced\n');
  });

  test('--force makes anew what can not be changed', async () => {
    await write(settings({ immutable: true, data: { a: '1' } }));
    await good(`replace -f ${file()}`);
    await write(settings({ immutable: true, data: { a: '2' } }));
    expect((await navctl(`replace -f ${file()}`)).code).toBe(1);
    expect(await good(`replace --force -f ${file()}`)).toBe('configmap "r" deleted\nconfigmap/r replaced\n');
    expect(await dataOf('r')).toEqual({ a: '2' });
    expect((await navctl(`replace --force --subresource=status -f ${file()}`)).err).toContain('choose one');
  });

  test('a part: the status', async () => {
    await good('create deployment s --image=x --replicas=0');
    const manifest = JSON.parse(await good('get deploy s -o json')) as { metadata: object; spec: object };
    const { resourceVersion: _, ...metadata } = manifest.metadata as { resourceVersion: string };
    await write({ ...manifest, metadata, spec: { ...manifest.spec, replicas: 5 }, status: { replicas: 7 } });
    expect(await good(`replace --subresource=status -f ${file()}`)).toBe('deployment.apps/s replaced\n');
    expect(await good('get deploy s -o json')).toContain('"replicas": 0');
  });
});

describe('wait', () => {
  test('for all that a label chooses, each told', async () => {
    await good('create deployment w --image=x --replicas=2');
    expect(await good('wait deploy/w --for=condition=Available')).toBe('deployment.apps/w condition met\n');
    const lines = (await good('wait pods -l app=w --for=condition=Ready')).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^pod\/w-\S+ condition met$/);
    expect(await good('wait deploy/w --for=jsonpath={.status.readyReplicas}=2 --timeout=0')).toContain('condition met');
  });

  test('for objects to come, and to go', async () => {
    const coming = navctl('wait cm/late --for=create');
    await good('create cm late');
    expect(await coming).toMatchObject({ code: 0, out: 'configmap/late condition met\n' });
    const going = navctl('wait cm/late --for=delete');
    await good('delete cm late');
    expect(await going).toMatchObject({ code: 0, out: 'configmap/late condition met\n' });
    expect(await good('wait cm/late --for=delete')).toBe('configmap/late condition met\n');
  });

  test('and says what did not come', async () => {
    const { code, err } = await navctl('wait cm/one --for=jsonpath={.data.z} --timeout=0');
    expect({ code, err }).toEqual({ code: 1, err: 'error: timed out waiting for the condition on configmaps/one\n' });
    expect((await navctl('wait pod/nobody --for=condition=Ready')).err).toContain('NotFound');
    expect((await navctl('wait pods -l no=such --for=condition=Ready')).err).toBe(
      'error: no matching resources found\n',
    );
  });
});

test('diff exits with 0, 1 or 2', async () => {
  const file = join(dir, 'diff.yaml');
  await writeFile(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\ndata: {a: "1"}\n');
  const before = await navctl(`diff -f ${file}`);
  expect(before.code).toBe(1);
  expect(before.out).toContain('+  a: "1"');
  await good(`apply -f ${file}`);
  expect(await navctl(`diff -f ${file}`)).toEqual({ code: 0, out: '', err: '' });
  expect((await navctl('diff -f /nowhere')).code).toBe(2);
});
