import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { podReady } from '../pods.ts';

/** What Pods leave in a claim: there for the next one, after a crash of the agent too, and gone with the claim. */
export function storage(cluster: () => Cluster): void {
  describe('a claim', () => {
    const navctl = (...args: string[]) => cluster().navctl(...args);
    const onDisk = (uid: string) => existsSync(join(cluster().home, 'agent/claims', uid));
    const claim = () =>
      cluster().json<{ metadata: { uid: string }; status: { phase: string; nodeName: string } }>('get', 'pvc', 'notes');
    let uid = '';

    test('is bound to the node of its first Pod, who may write to it without being root', async () => {
      await navctl('apply', '-f', 'test/manifests/storage.yaml');
      const writer = await podReady(cluster(), 'writer');
      const { metadata, status } = await claim();
      uid = metadata.uid;
      expect(status).toMatchObject({ phase: 'Bound', nodeName: writer.spec.nodeName });
      await navctl('exec', 'writer', '--', 'sh', '-c', 'echo kept > /notes/first');
      expect(await navctl('exec', 'writer', '--', 'stat', '-c', '%u %g', '/notes/first')).toBe('1000 2000\n');
    });

    test('can be read beside that, and not be written to where it is lent for reading', async () => {
      await podReady(cluster(), 'reader');
      expect(await navctl('exec', 'reader', '--', 'cat', '/notes/first')).toBe('kept\n');
      const refused = await cluster().tryNavctl(['exec', 'reader', '--', 'touch', '/notes/second']);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Read-only file system') as string });
    });

    test('keeps its data when its Pods go and the agent is killed, for the next Pod', async () => {
      await navctl('delete', 'pod', 'writer', 'reader');
      cluster().kill('node-agent');
      await navctl('apply', '-f', 'test/manifests/storage.yaml');
      await podReady(cluster(), 'writer');
      expect(await navctl('exec', 'writer', '--', 'cat', '/notes/first')).toBe('kept\n');
    });

    test('that is deleted stays while a Pod uses it, and says so; then it goes, and its data with it', async () => {
      await navctl('delete', 'pod', 'reader');
      await navctl('delete', 'pvc', 'notes', '--wait=false');
      expect(await navctl('why', 'pvc/notes')).toContain('1 Pod that uses it to go: writer');
      expect(onDisk(uid)).toBe(true);
      await navctl('delete', 'pod', 'writer');
      await waitFor(async () => (await cluster().tryNavctl(['get', 'pvc', 'notes'])).code === 1, {
        timeoutMs: 30_000,
        intervalMs: 200,
        what: 'the claim to be gone',
      });
      await waitFor(() => !onDisk(uid), { timeoutMs: 30_000, what: 'its data to be gone' });
    });
  });
}
