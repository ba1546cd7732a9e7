import { readFile } from 'node:fs/promises';
import { EnvVar, Volume, VolumeMount } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startContainerd, type TestContainerd } from '../runtime/containerd.fixture.ts';
import { CriRuntime } from '../runtime/cri-runtime.ts';
import { startNodeOn, type TestNode } from './node.fixture.ts';
import { aPod, container } from './pod.fixture.ts';

const image = 'docker.io/library/busybox:latest';
const shell = (script: string) => [
  '/bin/sh',
  '-c',
  `trap "exit 0" TERM; ${script}; while :; do sleep 1 & wait $!; done`,
];

let containerd: TestContainerd;
let node: TestNode<CriRuntime>;
beforeAll(async () => {
  containerd = await startContainerd();
  const runtime = new CriRuntime({ socket: containerd.socket, stateDir: `${containerd.dir}/agent` });
  await waitFor(async () => (await runtime.status()).networkReady);
  node = await startNodeOn(runtime);
});
afterAll(async () => {
  for (const name of [...node.api.pods.values()].map(({ metadata }) => metadata.name)) node.api.askToGo(name, 0);
  await waitFor(() => node.api.pods.size === 0);
  await node.stop();
  node.runtime.close();
  await containerd.stop();
});

const status = (name: string) => node.api.get(name).status;
const isReady = (name: string) =>
  status(name).containerStatuses.every(({ ready }) => ready) && status(name).phase === 'Running';
const run = async (name: string, ...command: string[]) => {
  const id = status(name).containerStatuses[0]?.containerId.replace('containerd://', '') ?? '';
  const { stdout, stderr, exitCode } = await node.runtime.execSync(id, command, { timeoutMs: 5000 });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
};

test('a Pod sees its settings, volumes, limits and names', async () => {
  node.configMaps.set('settings', new Map([['color', Buffer.from('red')]]));
  node.secrets.set('keys', new Map([['token', Buffer.from('s3cret')]]));
  const volumes = [
    Volume.fromPartial({ name: 'settings', configMap: { name: 'settings' } }),
    Volume.fromPartial({ name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } }),
    Volume.fromPartial({
      name: 'all',
      projected: {
        sources: [
          { secret: { name: 'keys' } },
          { configMap: { name: 'settings' } },
          { downwardApi: { items: [{ path: 'uid', fieldRef: { fieldPath: 'metadata.uid' } }] } },
        ],
      },
    }),
    Volume.fromPartial({ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }),
  ];
  const main = container({
    image,
    imagePullPolicy: 'IfNotPresent',
    command: shell('echo "started as $WHO"'),
    env: [
      EnvVar.fromPartial({ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }),
      EnvVar.fromPartial({ name: 'WHO', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }),
    ],
    resources: { requests: {}, limits: { cpu: '500m', memory: '64Mi' } },
    volumeMounts: volumes.map(({ name }) => VolumeMount.fromPartial({ name, mountPath: `/${name}` })),
    securityContext: {
      runAsUser: 0,
      readOnlyRootFilesystem: true,
      capabilities: { add: [], drop: ['ALL'] },
      runAsGroup: undefined,
      runAsNonRoot: undefined,
      privileged: undefined,
      allowPrivilegeEscalation: false,
    },
  });
  const named = {
    subdomain: 'team',
    setHostnameAsFqdn: true,
    hostAliases: [{ ip: '192.0.2.7', hostnames: ['ledger.test', 'ledger'] }],
  };
  node.api.put(aPod({ volumes, containers: [main], ...named }, { name: 'full', uid: 'full' }));
  await waitFor(() => isReady('full'), { timeoutMs: 30_000 });

  expect(await run('full', 'cat', '/settings/color', '/keys/token')).toBe('reds3cret');
  expect(await run('full', 'sh', '-c', 'cat /all/token /all/color /all/uid; stat -f -c %T /all')).toBe(
    's3cretredfulltmpfs\n',
  );
  expect(await run('full', 'sh', '-c', 'stat -L -c %a /keys/token; echo $TOKEN; hostname')).toBe(
    '400\ns3cret\nfull.team.default.svc.cluster.local\n',
  );
  expect(await run('full', 'sh', '-c', "echo x > /scratch/x && df -m /scratch | tail -1 | awk '{print $2}'")).toBe(
    '1\n',
  );
  const hosts = await run('full', 'cat', '/etc/hosts');
  expect(hosts).toContain(`${status('full').podIp}\tfull.team.default.svc.cluster.local full\n`);
  expect(hosts).toContain('192.0.2.7\tledger.test ledger\n');
  expect(await run('full', 'cat', '/etc/resolv.conf')).toContain('search default.svc.cluster.local');
  expect(await run('full', 'grep', 'CapEff', '/proc/self/status')).toContain('0000000000000000');
  await expect(run('full', 'touch', '/x')).rejects.toThrow('Read-only');
  const log = await readFile(`${node.dir}/logs/default_full_full/main/0.log`, 'utf8');
  expect(log).toContain('started as full');
});

test('a killed container and a killed sandbox come back', async () => {
  node.api.put(
    aPod(
      { containers: [container({ image, imagePullPolicy: 'IfNotPresent', command: shell('true') })] },
      { name: 'hardy', uid: 'hardy' },
    ),
  );
  await waitFor(() => isReady('hardy'), { timeoutMs: 30_000 });
  const firstIp = status('hardy').podIp;
  const [container0] = await node.runtime.listContainers({ 'io.kubernetes.pod.uid': 'hardy' });
  await node.runtime.stopContainer(container0?.id ?? '', 0);
  await waitFor(() => status('hardy').containerStatuses[0]?.restartCount === 1 && isReady('hardy'), {
    timeoutMs: 30_000,
  });
  expect(status('hardy').podIp).toBe(firstIp);

  const [sandbox] = await node.runtime.listSandboxes({ 'io.kubernetes.pod.uid': 'hardy' });
  await node.runtime.stopSandbox(sandbox?.id ?? '');
  await waitFor(() => status('hardy').containerStatuses[0]?.restartCount === 2 && isReady('hardy'), {
    timeoutMs: 30_000,
  });
});

test('an agent that starts anew takes running Pods over, and ends one gracefully', async () => {
  const before = await node.runtime.snapshot();
  await node.restartAgent();
  const program = container({ image, imagePullPolicy: 'IfNotPresent', command: shell('true') });
  node.api.put(aPod({ containers: [program] }, { name: 'new', uid: 'new' }));
  await waitFor(() => isReady('new'), { timeoutMs: 30_000 });
  const after = await node.runtime.snapshot();
  for (const info of before.containers.filter(({ state }) => state === 'running'))
    expect(after.containers).toContainEqual(info);

  node.api.askToGo('new', 20);
  await waitFor(() => !node.api.pods.has('default/new'), { timeoutMs: 15_000 });
  expect(await node.runtime.listSandboxes({ 'io.kubernetes.pod.uid': 'new' })).toEqual([]);
});
