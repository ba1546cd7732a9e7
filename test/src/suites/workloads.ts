import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, root } from '../cluster.ts';
import { podReady, podUntil } from '../pods.ts';
import { isReady } from '../shapes.ts';

/** What a container gets from its Pod: settings, volumes, limits, probes, and an orderly end. */
export function workloads(cluster: () => Cluster): void {
  describe('a Pod with settings', () => {
    const shell = (script: string) => cluster().navctl('exec', 'settings', '--', 'sh', '-c', script);

    test('gets environment, files, limits and its init container', async () => {
      await cluster().navctl('apply', '-f', 'test/manifests/settings.yaml');
      await podReady(cluster(), 'settings');
      expect(await shell('echo "$COLOUR,$TOKEN,$GREETING"')).toBe('blue,open-sesame,hello settings\n');
      expect(await shell('cat /etc/settings/motd.txt /etc/keys/TOKEN /scratch/ready')).toBe(
        'fair winds\nopen-sesameprepared\n',
      );
      expect(await shell('stat -L -c %a /etc/keys/TOKEN')).toBe('400\n');
      // Where cgroup v2 or v1 shows it.
      const limit = 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes';
      expect(await shell(limit)).toBe(`${64 << 20}\n`);
    });

    test('sees a changed ConfigMap in its files', async () => {
      await cluster().navctl('patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"motd.txt":"storm"}}');
      await waitFor(async () => (await shell('cat /etc/settings/motd.txt')) === 'storm', {
        timeoutMs: 90_000,
        intervalMs: 500,
        what: 'the new file',
      });
    });

    test('exec passes input and the exit code on', async () => {
      const args = ['exec', '-i', 'settings', '--', 'sh', '-c', 'cat; echo oops >&2; exit 7'];
      const finished = await cluster().tryNavctl(args, 'ahoy');
      expect(finished).toMatchObject({ code: 7, stdout: 'ahoy' });
      expect(finished.stderr).toContain('oops');
    });

    test('logs -f follows until the container has ended in its own time', async () => {
      const follower = spawn(
        join(root, 'node_modules/.bin/node'),
        ['packages/cli/bin/navctl.js', 'logs', '-f', 'settings'],
        { cwd: root, env: cluster().env, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let text = '';
      follower.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const ended = new Promise((resolve) => follower.once('close', resolve));
      await waitFor(() => text.includes('colour blue'), { timeoutMs: 20_000, what: 'the first line' });
      await cluster().navctl('delete', 'pod', 'settings', '--grace-period=20');
      await ended;
      expect(text).toContain('leaving');
      const gone = await cluster().tryNavctl(['get', 'pod', 'settings']);
      expect(gone).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('pods "settings" not found'),
      });
    });
  });

  describe('a Pod that is watched by probes', () => {
    test('is ready only while its readiness probe succeeds', async () => {
      await cluster().navctl('apply', '-f', 'test/manifests/probes.yaml');
      await podUntil(cluster(), 'probed', 'running', ({ status }) => status?.phase === 'Running');
      expect(isReady(await cluster().json('get', 'pod', 'probed'))).toBe(false);
      await cluster().navctl('exec', 'probed', '--', 'touch', '/tmp/open');
      await podReady(cluster(), 'probed');
      await cluster().navctl('exec', 'probed', '--', 'rm', '/tmp/open');
      await podUntil(cluster(), 'probed', 'not ready', (pod) => !isReady(pod));
    });

    test('is restarted when its liveness probe fails', async () => {
      await cluster().navctl('exec', 'probed', '--', 'rm', '/tmp/alive');
      await podUntil(
        cluster(),
        'probed',
        'restarted',
        ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1,
      );
    });

    test('a program that keeps ending is started again with back-off, and its last words are kept', async () => {
      await podUntil(
        cluster(),
        'failing',
        'backing off',
        ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
      );
      expect(await cluster().navctl('logs', 'failing')).toBe('going down\n');
    });

    test('an image that does not exist is reported, in the status and as an event', async () => {
      await podUntil(cluster(), 'missing-image', 'waiting for its image', ({ status }) =>
        ['ErrImagePull', 'ImagePullBackOff'].includes(status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ''),
      );
      await waitFor(async () => (await cluster().navctl('events')).includes('no-such-image:never'), {
        timeoutMs: 20_000,
        intervalMs: 200,
        what: 'an event that names the image',
      });
      await cluster().navctl('delete', '-f', 'test/manifests/probes.yaml', '--grace-period=1');
    });
  });
}
