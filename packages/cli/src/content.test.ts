import { deployment } from '@navarch/kinds';
import { Deployment } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { differs, isPatched } from './content.ts';

const web = (version: string, more: object = {}) =>
  Deployment.fromJSON({
    metadata: { name: 'web', resourceVersion: version, annotations: { team: 'a' } },
    spec: { replicas: 2 },
    status: { replicas: 1 },
    ...more,
  });
const seen = web('6', { status: { replicas: 2 } });
const scaled = web('6', { spec: { replicas: 3 } });

describe('a write changed something', () => {
  test.each([
    { name: 'not when only its version is another', after: web('6'), changed: false },
    { name: 'not when a controller wrote its status meanwhile', after: seen, changed: false },
    { name: 'when its spec is another', after: scaled, changed: true },
  ])('$name', ({ after, changed }) => {
    expect([differs(deployment, web('5'), after), isPatched(deployment, web('5'), after)]).toEqual([changed, changed]);
  });

  test('to the status, when that is another', () => {
    expect(isPatched(deployment, web('5'), seen, 'status')).toBe(true);
    expect(isPatched(deployment, web('5'), web('6'), 'status')).toBe(false);
  });
});
