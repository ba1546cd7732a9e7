import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { createClient } from '@navarch/client';
import { builtinKinds, configMap, kinds } from '@navarch/kinds';
import { type EtcdServer, freePorts, type NatsServer, startEtcd, startNats, waitFor } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NavctlOptions, navctl, type Result } from './navctl.fixture.ts';
import type { Session } from './session.ts';
import { waitUntil } from './wait-until.ts';

const { signal } = new AbortController();
const root = join(import.meta.dirname, '../../..');
let etcd: EtcdServer;
let nats: NatsServer;
let api: ChildProcess | undefined;
let server: string;

const nav = (args: readonly string[], options: NavctlOptions = {}): Promise<Result> =>
  navctl(args, { server, ...options });

/** Runs it, expects success, and gives what it printed. */
async function good(args: readonly string[], options: NavctlOptions = {}): Promise<string> {
  const { code, out, err } = await nav(args, options);
  expect({ args, code, err }).toEqual({ args, code: 0, err: '' });
  return out;
}

async function startApi(metrics: string): Promise<void> {
  const flags = { '--etcd': etcd.endpoint, '--nats': nats.url, '--listen': server, '--metrics': metrics };
  const args = [join(root, 'services/api/dist/main.js'), ...Object.entries(flags).flat(), '--log-level', 'error'];
  api = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const isUp = async () => (await nav(['get', 'namespace', 'default'])).code === 0;
  await waitFor(isUp, { timeoutMs: 60_000, what: 'the api' });
}

async function stopApi(signal: NodeJS.Signals): Promise<void> {
  if (api?.exitCode !== null) return;
  const exited = once(api, 'exit');
  api.kill(signal);
  await exited;
}

let metrics: string;

beforeAll(async () => {
  [etcd, nats] = await Promise.all([startEtcd(), startNats()]);
  const [port = 0, metricsPort = 0] = await freePorts(2);
  server = `127.0.0.1:${port}`;
  metrics = `127.0.0.1:${metricsPort}`;
  await startApi(metrics);
});

afterAll(async () => {
  await stopApi('SIGTERM');
  await nats?.stop();
  await etcd?.stop();
});

describe.each(kinds.map((kind) => ({ kind, name: kind.kind })))('$name', ({ kind }) => {
  const file = join(root, 'examples', kind.example);
  const type = kind.resource;
  const name = /^ {2}name: (\S+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';

  test('its example is applied, shown, and removed', async () => {
    expect(await good(['apply', '-f', file])).toMatch(/ created\n$/);
    expect(await good(['apply', '-f', file])).toMatch(/ unchanged\n$/);
    expect(await good(['get', type, name, '-o', 'wide'])).toContain('\n');
    expect(await good(['get', type, name, '-o', 'name'])).toMatch(new RegExp(`/${name}\n$`));
    expect(await good(['describe', type, name])).toMatch(new RegExp(`^Name: +${name}\n`));
    const yaml = await good(['get', type, name, '-o', 'yaml']);
    expect(yaml).toContain(`apiVersion: ${kind.apiVersion}\nkind: ${kind.kind}\n`);
    // What is read can be sent back, and says nothing new.
    expect(await good(['apply', '-f', '-'], { stdin: yaml })).toMatch(/ (unchanged|configured)\n$/);
    expect(await good(['delete', '-f', file, '--wait=false'])).toContain(' deleted\n');
  });
});

const web = `apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web}}
data: {greeting: hello}
`;

test('applying again changes what the manifest says, and leaves the rest to others', async () => {
  await good(['apply', '-f', '-'], { stdin: web });
  await good(['label', 'cm', 'web', 'by=somebody']);
  const next = web.replace('greeting: hello', 'farewell: bye');
  expect(await good(['apply', '-f', '-'], { stdin: next })).toBe('configmap/web configured\n');
  const json = JSON.parse(await good(['get', 'cm/web', '-o', 'json'])) as {
    metadata: { labels: object };
    data: object;
  };
  expect(json.metadata.labels).toEqual({ app: 'web', by: 'somebody' });
  expect(json.data).toEqual({ farewell: 'bye' });
  expect(await good(['get', 'cm', '-l', 'by=somebody', '--no-headers'])).toMatch(/^web +1 +\d+s\n$/);
  await good(['delete', 'cm', '-l', 'app=web']);
});

test('a watch shows what there is, then each change, until it is interrupted', async () => {
  const interrupt = new AbortController();
  const watching = nav(['get', 'cm', '-w', '--field-selector', 'metadata.name=watched', '-o', 'name'], {
    signal: interrupt.signal,
  });
  await good(['apply', '-f', '-'], { stdin: web.replaceAll('web', 'watched') });
  await good(['label', 'cm', 'watched', 'x=y']);
  await good(['delete', 'cm', 'watched']);
  setTimeout(() => interrupt.abort(), 500);
  const { code, out } = await watching;
  expect(code).toBe(0);
  expect(out).toMatch(/^(configmap\/watched\n)+$/);
});

test('scale, patch, set image and rollout change a Deployment', async () => {
  await good(['create', 'deployment', 'rolling', '--image=nginx:1', '--port=80']);
  expect(await good(['scale', 'deploy/rolling', '--replicas=3'])).toBe('deployment.apps/rolling scaled\n');
  expect(await good(['set', 'image', 'deploy/rolling', 'nginx=nginx:2'])).toBe(
    'deployment.apps/rolling image updated\n',
  );
  expect(await good(['patch', 'deploy', 'rolling', '-p', '{"spec":{"paused":true}}'])).toBe(
    'deployment.apps/rolling patched\n',
  );
  expect(await good(['get', 'deploy', 'rolling', '-o', 'wide', '--no-headers'])).toMatch(
    /^rolling +0\/3 .* nginx:2 +app=rolling\n$/,
  );
  expect(await nav(['rollout', 'undo', 'deploy/rolling'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is paused') as string,
  });
  await good(['rollout', 'resume', 'deploy/rolling']);
  expect(await nav(['rollout', 'status', 'deploy/rolling', '--timeout=200ms'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('timed out') as string,
  });
  expect(await good(['delete', 'deploy/rolling', '--now'])).toBe('deployment.apps "rolling" deleted\n');
});

test('shows what happened, by object, type and time, and what happens next', async () => {
  const now = Date.now();
  const happened = (name: string, type: string, minutesAgo: number) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${minutesAgo}` },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name },
      reason: `Ago${minutesAgo}`,
      type,
      count: 1,
      firstTimestamp: new Date(now - minutesAgo * 60_000).toISOString(),
      lastTimestamp: new Date(now - minutesAgo * 60_000).toISOString(),
    });
  const make = (manifest: string) => good(['create', '-f', '-'], { stdin: manifest });
  for (const [name, type, ago] of [
    ['told', 'Normal', 30],
    ['told', 'Warning', 20],
    ['told', 'Warning', 5],
    ['other', 'Warning', 1],
  ] as const) {
    await make(happened(name, type, ago));
  }
  const reasons = (text: string) => text.match(/Ago\d+/g) ?? [];
  expect(reasons(await good(['events', '--for=pod/told']))).toEqual(['Ago30', 'Ago20', 'Ago5']);
  expect(reasons(await good(['events', '--for=pod/told', '--types=warning']))).toEqual(['Ago20', 'Ago5']);
  expect(reasons(await good(['events', '--since=10m', '-A']))).toEqual(['Ago5', 'Ago1']);
  expect(await nav(['events', '--since=1s', '--for=pod/told'])).toMatchObject({
    out: '',
    err: 'No resources found in default namespace.\n',
  });

  const stop = new AbortController();
  let printed = '';
  const watching = nav(['events', '-w', '--types=Warning', '--since=25m', '--for=pod/told'], {
    signal: stop.signal,
    onOut: (text) => (printed += text),
  });
  await waitFor(() => reasons(printed).length === 2);
  await make(happened('told', 'Normal', 0));
  await good(['delete', 'events', 'told.20']);
  await make(happened('told', 'Warning', 2));
  await waitFor(() => printed.includes('Ago2 '));
  stop.abort();
  expect(reasons((await watching).out)).toEqual(['Ago20', 'Ago5', 'Ago2']);
});

test('tells how much room there is', async () => {
  await waitFor(async () => (await good(['storage'])).includes('MEMBER'));
  expect(await good(['storage'])).toMatch(
    /^Storage is 0 % full: etcd uses .* of its quota of 2 GiB\. There is room[^]*\nMEMBER +ROLE +USED +ON DISK +QUOTA[^]*Leader .* 2 GiB +3\./,
  );
  expect(JSON.parse(await good(['storage', '-o', 'json']))).toMatchObject({ quotaBytes: '2147483648' });
});

test('what is not there, or not right, is told and fails', async () => {
  expect(await nav(['get', 'pods', 'nope'])).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('Error from server (NotFound): pods "nope"') as string,
  });
  expect(await nav(['get', 'pods'])).toMatchObject({ code: 0, err: 'No resources found in default namespace.\n' });
  expect(await nav(['get', 'pods', '-l', 'a in'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('character 5') as string,
  });
  expect(await nav(['apply', '-f', '-', '-n', 'nowhere'], { stdin: web })).toMatchObject({
    code: 1,
    err: expect.stringContaining('stdin:1:1 configmap/web: Error from server (NotFound)') as string,
  });
});

test('a Secret is described without what it hides', async () => {
  await good(['apply', '-f', join(root, 'examples/kinds/secret.yaml')]);
  const page = await good(['describe', 'secret', 'example-secret']);
  expect(page).toContain('password:  9 bytes');
  expect(page).not.toContain('change-me');
  expect(page).not.toContain(Buffer.from('change-me').toString('base64'));
  await good(['delete', 'secret', 'example-secret']);
});

test('a namespace is described with what limits it, and a quota with what is used', async () => {
  await good(['create', 'namespace', 'shop']);
  for (const file of ['resourcequota', 'limitrange', 'pod']) {
    await good(['apply', '-n', 'shop', '-f', join(root, `examples/kinds/${file}.yaml`)]);
  }
  const page = await good(['describe', 'namespace', 'shop']);
  expect(page).toMatch(/Resource Quotas:\n +example-resourcequota:\n +Resource +Used +Hard\n/);
  expect(page).toMatch(/Resource Limits:\n +Type +Resource[^]*Container +cpu +- +1 +100m +500m +-\n/);
  expect(await good(['describe', 'quota', 'example-resourcequota', '-n', 'shop'])).toMatch(/requests\.cpu +\d+m +4\n/);
  expect(await good(['get', 'quota', '-n', 'shop', '--no-headers'])).toMatch(/requests\.cpu: \d+m\/4/);
  await good(['delete', 'namespace', 'shop', '--wait=false']);
});

test('waiting outlives the api', async () => {
  using client = Object.assign(createClient({ address: server }), { [Symbol.dispose]: () => client.close() });
  const warnings: string[] = [];
  const session: Session = {
    io: {
      stdin: Readable.from([]),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env: {},
      now: Date.now,
      signal,
    },
    server,
    namespace: 'default',
    namespaceGiven: false,
    kinds: async () => builtinKinds,
    client: () => client,
    print: () => undefined,
    warn: (text) => void warnings.push(text),
  };
  let looks = 0;
  const isThere = (object: unknown) => ++looks > 0 && object !== undefined;
  const selector = { namespace: 'default', fieldSelector: 'metadata.name=late' };
  const waiting = waitUntil(session, configMap, selector, isThere, 60_000);
  await waitFor(() => looks > 0, { what: 'the first look' });
  await stopApi('SIGKILL');
  await startApi(metrics);
  await good(['apply', '-f', '-'], { stdin: web.replaceAll('web', 'late') });
  expect(await waiting).toBe(true);
  expect(warnings).toEqual([expect.stringContaining('waiting for it')]);
});
