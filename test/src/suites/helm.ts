import { describe, expect, test } from 'vitest';
import { execute, root } from '../cluster.ts';
import type { Kubectl } from '../kubectl.ts';

/** A chart is installed, upgraded, rolled back and removed by Helm. */
export function helm(kubectl: () => Kubectl, program: string): void {
  const run = async (...args: string[]) => {
    const finished = await execute(program, args, { cwd: root, env: kubectl().env, timeout: 110_000 });
    if (finished.code !== 0) throw new Error(`helm ${args.join(' ')} ended with ${finished.code}:\n${finished.stderr}`);
    return finished.stdout;
  };
  const greeting = () => kubectl().run('get', 'configmap', 'hello', '-o', 'jsonpath={.data.greeting}');

  describe('helm', () => {
    test('installs a chart and waits until it runs', async () => {
      await run('install', 'hello', 'test/charts/hello', '--wait', '--timeout=60s');
      expect(await greeting()).toBe('hello');
      expect(await run('list', '--short')).toBe('hello\n');
    });

    test('upgrades it, and rolls it back', async () => {
      await run('upgrade', 'hello', 'test/charts/hello', '--set=greeting=ahoy', '--wait', '--timeout=60s');
      expect(await greeting()).toBe('ahoy');
      await run('rollback', 'hello', '1', '--wait', '--timeout=60s');
      expect(await greeting()).toBe('hello');
    });

    test('uninstalls it, with all that it made', async () => {
      await run('uninstall', 'hello', '--wait', '--timeout=60s');
      expect(await kubectl().run('get', 'deploy,service,configmap,role,serviceaccount', '-o', 'name')).not.toContain(
        '/hello\n',
      );
    });
  });
}
