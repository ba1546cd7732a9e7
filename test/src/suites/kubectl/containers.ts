import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../cluster.ts';
import { httpStatus } from '../../http.ts';
import type { Kubectl } from '../../kubectl.ts';

const talker = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'talker' },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'shell',
        image: 'busybox',
        stdin: true,
        command: [
          'sh',
          '-c',
          'echo ready; trap "exit 0" TERM; while read line; do echo "heard $line"; done; sleep 600',
        ],
      },
      { name: 'web', image: 'nginx', ports: [{ containerPort: 80 }] },
    ],
  },
};

/** What goes into containers and comes out of them, by kubectl. */
export function kubectlContainers(cluster: () => Cluster, kubectl: () => Kubectl): void {
  describe('kubectl and containers', () => {
    beforeAll(async () => {
      await kubectl().apply(talker);
      await kubectl().run('wait', '--for=condition=Ready', 'pod/talker', '--timeout=60s');
    });
    afterAll(() => kubectl().attempt(['delete', 'pod', 'talker', '--grace-period=1']));

    test('attach brings lines in, and logs -f brings them out', async () => {
      const logs = kubectl().follow('logs', '-f', 'talker', '-c', 'shell', '--timestamps');
      await logs.shows(/^\d{4}-\S+Z ready$/m);
      const attached = kubectl().follow('attach', '-i', 'talker', '-c', 'shell');
      attached.type('ahoy\n');
      await attached.shows('heard ahoy');
      await logs.shows(/Z heard ahoy$/m);
      await attached.stop();
      await logs.stop();
      expect(await kubectl().run('logs', 'talker', '-c', 'shell', '--tail=1')).toBe('heard ahoy\n');
    });

    test('exec passes input, both outputs and the exit code on', async () => {
      const script = 'cat; echo oops >&2; exit 7';
      const finished = await kubectl().attempt(
        ['exec', '-i', 'talker', '-c', 'shell', '--', 'sh', '-c', script],
        'ahoy',
      );
      expect(finished).toMatchObject({ code: 7, stdout: 'ahoy' });
      expect(finished.stderr).toContain('oops');
      expect(finished.stderr).toContain('command terminated with exit code 7');
    });

    test('exec -it gives a terminal', async () => {
      const finished = await kubectl().atTerminal(
        ['exec', '-it', 'talker', '-c', 'shell', '--', 'sh', '-c', 'tty; read line; echo "got $line"'],
        'hello\n',
      );
      expect(finished.stdout).toMatch(/\/dev\/(pts\/\d+|console)/);
      expect(finished.stdout).toContain('got hello');
    });

    test('cp takes files in and out', async () => {
      const [out, back] = [join(cluster().home, 'cargo.txt'), join(cluster().home, 'cargo-back.txt')];
      const cargo = 'barrels\n'.repeat(10_000);
      writeFileSync(out, cargo);
      await kubectl().run('cp', out, 'talker:/tmp/cargo.txt', '-c', 'shell');
      expect(await kubectl().run('exec', 'talker', '-c', 'shell', '--', 'wc', '-c', '/tmp/cargo.txt')).toContain(
        String(cargo.length),
      );
      await kubectl().run('cp', 'talker:/tmp/cargo.txt', back, '-c', 'shell');
      expect(readFileSync(back, 'utf8')).toBe(cargo);
    });

    test('port-forward reaches what listens in the Pod', async () => {
      const forwarding = kubectl().follow('port-forward', 'pod/talker', ':80');
      await forwarding.shows(/Forwarding from 127\.0\.0\.1:(\d+) -> 80/);
      const port = /127\.0\.0\.1:(\d+) -> 80/.exec(forwarding.text())?.[1];
      const asked = await Promise.all(Array.from({ length: 8 }, () => httpStatus(`http://127.0.0.1:${port}/`)));
      expect(asked).toEqual(Array.from({ length: 8 }, () => 200));
      await forwarding.stop();
    });

    test('top shows what nodes and Pods use', async () => {
      // The first figures come with the second look at a container.
      await waitFor(async () => (await kubectl().attempt(['top', 'pod', 'talker', '--containers'])).code === 0, {
        timeoutMs: 60_000,
        intervalMs: 500,
        what: 'figures of the Pod',
      });
      expect(await kubectl().run('top', 'pod', 'talker', '--containers', '--no-headers')).toMatch(
        /^talker\s+web\s+\d+m\s+\d+Mi/m,
      );
      expect(await kubectl().run('top', 'nodes', '--no-headers')).toMatch(/^\S+\s+\d+m\s+\d+%\s+\d+Mi\s+\d+%/m);
    });
  });
}
