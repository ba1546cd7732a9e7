import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cluster, execute, root } from '../cluster.ts';

/** The commands that the README asks a newcomer to type, in their order: every line of its ```sh blocks. */
const commands = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].flatMap(
  ([, block]) => (block ?? '').split('\n').filter((line) => line !== ''),
);
/** What is applied together: a folder, as users do, of the kinds each alone. */
const examples = [
  ...globSync('examples/*/', { cwd: root }).filter((folder) => basename(folder) !== 'kinds'),
  ...globSync('examples/kinds/*.yaml', { cwd: root }),
].sort();

/** What the documents show works as they show it. */
export function documents(cluster: () => Cluster): void {
  describe('the README', () => {
    test('has commands to run', () => expect(commands.length).toBeGreaterThan(10));

    test.each(commands)('%s', async (command) => {
      const finished = await execute('sh', ['-c', command], { cwd: root, env: cluster().env, timeout: 100_000 });
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      expect(finished.stdout.trim()).not.toBe('');
    });
  });

  describe('the examples', () => {
    test.each(examples)('%s can be applied twice; the second time changes nothing', async (example) => {
      await cluster().navctl('apply', '-f', example);
      const again = (await cluster().navctl('apply', '-f', example)).trim().split('\n');
      for (const line of again) expect(line).toMatch(/ unchanged$/);
      if (basename(example) !== 'nginx') await cluster().navctl('delete', '-f', example, '--wait=false');
    });
  });
}
