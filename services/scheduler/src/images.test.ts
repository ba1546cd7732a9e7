import { describe, expect, test } from 'vitest';
import { fullImageName, ImageSpread } from './images.ts';
import { nodeInfo, snapshotOf } from './objects.fixture.ts';

const MiB = 1024 * 1024;

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.23', 'docker.io/library/nginx:1.23'],
  ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
  ['quay.io/prometheus/node-exporter:v1', 'quay.io/prometheus/node-exporter:v1'],
  ['localhost/app', 'localhost/app:latest'],
  ['registry:5000/app', 'registry:5000/app:latest'],
  ['nginx@sha256:0123', 'docker.io/library/nginx@sha256:0123'],
])('%s is %s', (name, full) => {
  expect(fullImageName(name)).toBe(full);
});

describe('image locality', () => {
  const app = 'docker.io/library/app:1';
  const side = 'docker.io/library/side:1';
  /** Of four nodes the first has `images` in MiB, and so many in all have them. */
  const points = (wanted: readonly string[], images: Record<string, number>, have: number) => {
    const sizes = Object.fromEntries(Object.entries(images).map(([name, size]) => [name, size * MiB]));
    const nodes = [0, 1, 2, 3].map((number) => nodeInfo(`n${number}`, number < have ? { images: sizes } : {}));
    const snapshot = snapshotOf(nodes);
    const [first] = snapshot.nodes;
    return first && snapshot.images.score(wanted)?.(first);
  };

  test.each([
    // 100 × (511.5 - 23) / (1000 - 23) = 50.
    { name: 'by size', wanted: [app], images: { [app]: 511.5 }, have: 4, is: 50 },
    // 511.5 × 2/4 = 255.75: 100 × 232.75 / 977 = 23.8.
    { name: 'less where fewer nodes have it', wanted: [app], images: { [app]: 511.5 }, have: 2, is: 23 },
    { name: 'nothing for a small one', wanted: [app], images: { [app]: 20 }, have: 4, is: 0 },
    { name: 'no more than all', wanted: [app], images: { [app]: 5_000 }, have: 4, is: 100 },
    // (400 + 600 - 23) / (2000 - 23) = 49.4.
    { name: 'of two containers', wanted: [app, side], images: { [app]: 400, [side]: 600 }, have: 4, is: 49 },
    // 1023 - 23 of 2000 - 23: half of what one alone would need.
    { name: 'of one of two', wanted: [app, side], images: { [app]: 1_023 }, have: 4, is: 50 },
    { name: 'nothing to say where nobody has it', wanted: [app], images: { [side]: 500 }, have: 4, is: undefined },
  ])('$name', ({ wanted, images, have, is }) => {
    expect(points(wanted, images, have)).toBe(is);
  });

  test('what is said changes with the number of nodes that have an image, and of all, and with nothing else', () => {
    const spread = new ImageSpread();
    const sizes = new Map([[app, 500 * MiB]]);
    expect(spread.keyOf([app])).toBe('');
    spread.count(sizes, 1);
    const one = spread.keyOf([app]);
    expect(spread.keyOf([side])).toBe('');
    spread.count(new Map(), 1);
    const ofTwo = spread.keyOf([app]);
    spread.count(sizes, 1);
    expect(new Set(['', one, ofTwo, spread.keyOf([app])]).size).toBe(4);
    spread.count(sizes, -1);
    expect(spread.keyOf([app])).toBe(ofTwo);
  });
});
