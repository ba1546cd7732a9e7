import { pod as podKind } from '@navarch/kinds';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ObjectCache } from '../cache/object-cache.ts';
import { cached } from './admission/step.fixture.ts';
import { Rooms } from './rooms.ts';

const nodeNames = ['a', 'b'];
const somePod = fc.record({
  name: fc.constantFrom('p0', 'p1', 'p2', 'p3'),
  nodeName: fc.constantFrom('', ...nodeNames),
  cpu: fc.constantFrom('100m', '2'),
  hostPort: fc.constantFrom(undefined, 80, 81),
  phase: fc.constantFrom('', 'Running', 'Succeeded'),
  gone: fc.boolean(),
});

/** Long enough to make the history forget what a Rooms that is asked rarely has not seen. */
const limits = { maxBytes: 1_000_000, maxChanges: 10 };

test('rooms that follow each change are what counting anew gives', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(somePod, fc.boolean()), { maxLength: 60 }), (steps) => {
      const cache = new ObjectCache(limits);
      cache.reset([], 1n);
      const followed = new Rooms(cache);
      for (const [i, [{ name, nodeName, cpu, hostPort, phase, gone }, ask]] of steps.entries()) {
        const revision = BigInt(i + 2);
        const ports = hostPort === undefined ? [] : [{ containerPort: 1, hostPort }];
        const containers = [{ name: 'c', image: 'x', ports, resources: { requests: { cpu } } }];
        const manifest = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name },
          spec: { nodeName, containers },
          status: { phase },
        };
        const object = gone ? undefined : cached(manifest, revision);
        cache.apply(revision, [{ kind: podKind, namespace: 'default', name, object }]);
        if (!ask) continue;
        const anew = new Rooms(cache);
        for (const each of nodeNames) {
          const { requested, hostPorts } = anew.of(each);
          const room = followed.of(each);
          for (const resource of ['cpu', 'pods']) expect(room.requested[resource] ?? 0).toBe(requested[resource] ?? 0);
          expect(Object.fromEntries(room.hostPorts)).toEqual(Object.fromEntries(hostPorts));
        }
      }
    }),
  );
});
