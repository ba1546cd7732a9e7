import { expect, test } from 'vitest';
import { readYaml } from './yaml.ts';

const manifest = `kind: Pod
metadata:
  name: web
  labels:
    example.com/tier: front
spec:
  containers:
    - name: a
      image: nginx
    - {name: b, image: busybox}
`;

test.each([
  ['', 1, 1],
  ['metadata.name', 3, 3],
  ['metadata.labels[example.com/tier]', 5, 5],
  ['spec.containers[0]', 8, 7],
  ['spec.containers[1].image', 10, 17],
  ['spec.containers[1].missing', 10, 7],
  ['spec.nothing.here', 6, 1],
])('%s is in line %d, column %d', (path, line, column) => {
  expect(readYaml(manifest).documents[0]?.locate(path)).toEqual({ line, column });
});

test('reads several documents, past a bad one, and skips empty ones', () => {
  const { documents, errors } = readYaml('a: 1\n---\n# nothing\n---\nb: [1\n---\nc: 3\n');
  expect(documents.map(({ json }) => json)).toEqual([{ a: 1 }, { c: 3 }]);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.position.line).toBe(6);
});

test('a key that stands twice is an error, and the last one counts', () => {
  const { documents, errors } = readYaml('a: 1\nb: 2\na: 3\n');
  expect(documents).toMatchObject([{ json: { a: 3, b: 2 }, hasDuplicates: true }]);
  expect(errors).toEqual([
    {
      position: { line: 3, column: 1 },
      message: 'this key stands here twice; each key must be unique',
      duplicate: true,
    },
  ]);
});

test('reads as Kubernetes does: octal numbers, merge keys, times as text', () => {
  const text = 'mode: 0644\nbase: &b {x: 1}\nmore: {<<: *b, y: 2}\ntime: 2026-01-01T00:00:00Z\non: yes\n';
  expect(readYaml(text).documents[0]?.json).toEqual({
    mode: 420,
    base: { x: 1 },
    more: { x: 1, y: 2 },
    time: '2026-01-01T00:00:00Z',
    on: 'yes',
  });
});

test('reads JSON', () => {
  expect(readYaml('{"a": [1, "x", null, true]}').documents[0]?.json).toEqual({ a: [1, 'x', null, true] });
});

test('refuses aliases that grow without end', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [name, before] of Object.entries({ b: 'a', c: 'b', d: 'c', e: 'd', f: 'e' })) {
    lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
  }
  const { documents, errors } = readYaml(lines.join('\n'));
  expect(documents).toEqual([]);
  expect(errors).toHaveLength(1);
});
