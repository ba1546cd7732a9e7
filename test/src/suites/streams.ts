import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, root } from '../cluster.ts';
import { podReady } from '../pods.ts';

/** What reaches into a running Pod: its program's own streams, its ports, and a container that looks into it. */
export function streams(cluster: () => Cluster): void {
  describe("a Pod's streams", () => {
    test('run -i gives the program our input, and us its output and exit code', async () => {
      const args = ['run', 'echoes', '--image=busybox', '-i', '--rm', '--restart=Never', '--'];
      const finished = await cluster().tryNavctl([...args, 'sh', '-c', 'cat; exit 6'], 'ahoy\n');
      expect(finished.code).toBe(6);
      expect(finished.stdout).toContain('ahoy\n');
    });

    test('port-forward reaches what listens on the loopback alone; debug sees its process', async () => {
      const serve = 'mkdir /www; echo harbour > /www/index.html; exec httpd -f -p 127.0.0.1:8099 -h /www';
      await cluster().navctl('run', 'harbour', '--image=busybox', '--command', '--', 'sh', '-c', serve);
      await podReady(cluster(), 'harbour');
      const forwarding = spawn(
        join(root, 'node_modules/.bin/node'),
        ['packages/cli/bin/navctl.js', 'port-forward', 'harbour', ':8099', ':8100'],
        { cwd: root, env: cluster().env, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let said = '';
      for (const output of [forwarding.stdout, forwarding.stderr]) {
        output.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      }
      const portTo = (remote: number) =>
        waitFor(() => new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${remote}`).exec(said)?.[1]);
      expect(await (await fetch(`http://127.0.0.1:${await portTo(8099)}/`)).text()).toBe('harbour\n');
      await expect(fetch(`http://127.0.0.1:${await portTo(8100)}/`)).rejects.toThrow('fetch failed');
      await waitFor(() => said.includes('connection refused'));
      forwarding.kill('SIGINT');
      expect(await once(forwarding, 'close')).toEqual([0, null]);
      const look = ['debug', 'harbour', '--image=busybox', '--target=harbour', '--attach', '--', 'ps'];
      expect(await cluster().navctl(...look)).toContain('httpd');
    });
  });
}
