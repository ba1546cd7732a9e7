import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import type { List } from '../shapes.ts';

const pod = (spec: string, name = 'bad') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n${spec}`;

const cases = [
  {
    name: 'an unknown field',
    manifest: pod('  - name: web\n    imagee: nginx\n'),
    says: ['stdin:8:5', 'spec.containers[0].imagee', 'did you mean "image"'],
  },
  {
    name: 'a wrong type',
    manifest: pod('  - name: web\n    image: nginx\n    ports:\n    - containerPort: eighty\n'),
    says: ['stdin:10:7', 'spec.containers[0].ports[0].containerPort', 'eighty'],
  },
  {
    name: 'an impossible value',
    manifest: pod('  - name: web\n    image: nginx\n    ports:\n    - containerPort: 70000\n'),
    says: ['spec.containers[0].ports[0].containerPort', '65535'],
  },
  {
    name: 'a name that is no DNS name',
    manifest: pod('  - name: web\n    image: nginx\n', 'Bad_Name'),
    says: ['stdin:4:3 metadata.name', 'must be a DNS name'],
  },
  {
    name: 'a namespace that is not there',
    manifest: pod('  - name: web\n    image: nginx\n').replace('name: bad', 'name: bad\n  namespace: nowhere'),
    says: ['nowhere', 'not found'],
  },
  {
    name: 'data over 1 MiB',
    manifest: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bad\ndata:\n  big: ${'x'.repeat(1.2 * (1 << 20))}\n`,
    says: ['stdin:5:1 data', 'at most 1048576 bytes'],
  },
  {
    name: 'a kind that is not there',
    manifest: 'apiVersion: v1\nkind: Podd\nmetadata:\n  name: bad\n',
    says: ['Podd'],
  },
];

/** Bad input is refused with a clear error that names the field and the rule, and changes nothing. */
export function badInput(cluster: () => Cluster): void {
  describe('bad input', () => {
    const revisions = async () => {
      const { items } = await cluster().json<List<{ metadata: { name: string; uid: string } }>>('get', 'pods,cm', '-A');
      return items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();
    };

    test.each(cases)('$name is refused, and says where and why', async ({ manifest, says }) => {
      const before = await revisions();
      const refused = await cluster().tryNavctl(['apply', '-f', '-'], manifest);
      expect(refused.code).toBe(1);
      for (const words of says) expect(refused.stderr).toContain(words);
      expect(await revisions()).toEqual(before);
    });

    test('a bad document keeps the good ones beside it from being applied', async () => {
      const good = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\n';
      const refused = await cluster().tryNavctl(['apply', '-f', '-'], `${good}---\n${cases[0]?.manifest}`);
      expect(refused.code).toBe(1);
      expect((await cluster().tryNavctl(['get', 'configmap', 'good'])).code).toBe(1);
    });

    test('a stale resourceVersion is refused', async () => {
      await cluster().navctl('apply', '-f', 'examples/nginx/service.yaml');
      const stale = '{"metadata":{"resourceVersion":"1","labels":{"x":"y"}}}';
      const refused = await cluster().tryNavctl(['patch', 'service', 'nginx-service', '--type=merge', '-p', stale]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('resourceVersion');
      expect(await cluster().navctl('get', 'service', 'nginx-service', '--show-labels')).not.toContain('x=y');
    });
  });
}
