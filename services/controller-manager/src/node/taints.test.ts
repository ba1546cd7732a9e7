import { taintText } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../plan.ts';
import { agoMs, node, now } from '../objects.fixture.ts';
import { type Failing, taintByCondition, taintFailing } from './taints.ts';

const taint = (text: string, timeAdded = '') => {
  const [key = '', effect = ''] = text.split(':');
  return { key: key.includes('/') ? key : `node.kubernetes.io/${key}`, effect, timeAdded };
};
const shown = ({ writes: [write] }: Plan) =>
  write?.type === 'update'
    ? ((write.object as Live<Node>).spec.taints.map((each) => taintText(each).replace('node.kubernetes.io/', '')) ?? [])
    : 'nothing';

describe('the taints by condition', () => {
  const is = (type: string, status = 'True') => ({ type, status });
  test.each([
    { name: 'Ready: none', conditions: [is('Ready')], taints: [], are: 'nothing' },
    { name: 'not Ready', conditions: [is('Ready', 'False')], taints: [], are: ['not-ready:NoSchedule'] },
    { name: 'not heard of', conditions: [is('Ready', 'Unknown')], taints: [], are: ['unreachable:NoSchedule'] },
    {
      name: 'one follows the other',
      conditions: [is('Ready', 'Unknown')],
      taints: ['not-ready:NoSchedule'],
      are: ['unreachable:NoSchedule'],
    },
    { name: 'it goes with its reason', conditions: [is('Ready')], taints: ['not-ready:NoSchedule'], are: [] },
    {
      name: 'pressure, and no network',
      conditions: [is('Ready'), is('MemoryPressure'), is('DiskPressure'), is('PIDPressure'), is('NetworkUnavailable')],
      taints: [],
      are: ['memory-pressure', 'disk-pressure', 'pid-pressure', 'network-unavailable'].map(
        (key) => `${key}:NoSchedule`,
      ),
    },
    {
      name: 'what is not so is no reason',
      conditions: [is('Ready'), is('MemoryPressure', 'False')],
      taints: [],
      are: 'nothing',
    },
    {
      name: "people's taints, and those with other effects, stay",
      conditions: [is('Ready')],
      taints: ['example.com/gpu:NoSchedule', 'unreachable:NoExecute', 'not-ready:NoSchedule'],
      are: ['example.com/gpu:NoSchedule', 'unreachable:NoExecute'],
    },
    { name: 'nothing is known yet: none', conditions: [], taints: [], are: 'nothing' },
  ])('$name', ({ conditions, taints, are }) => {
    const seen = node('n1', { status: { conditions }, spec: { taints: taints.map((text) => taint(text)) } });
    expect(shown(taintByCondition(seen))).toEqual(are);
  });

  test('a node that is cordoned, and uncordoned', () => {
    expect(shown(taintByCondition(node('n1', { spec: { unschedulable: true } })))).toEqual([
      'unschedulable:NoSchedule',
    ]);
    const was = node('n1', { spec: { taints: [taint('unschedulable:NoSchedule')] } });
    expect(shown(taintByCondition(was))).toEqual([]);
  });
});

describe('the taint of a node that fails', () => {
  const look = (state: Failing, taints: readonly string[], more: { stopped?: boolean; mayAdd?: boolean } = {}) => {
    const seen = node('n1', { spec: { taints: taints.map((text) => taint(text, agoMs(60_000))) } });
    return taintFailing(seen, { state, stopped: false, mayAdd: true, ...more }, now);
  };
  test.each<{ name: string; state: Failing; taints: string[]; more?: object; are: string[] | 'nothing' }>([
    { name: 'comes when it is not heard of', state: 'unreachable', taints: [], are: ['unreachable:NoExecute'] },
    { name: 'comes when it is not ready', state: 'not-ready', taints: [], are: ['not-ready:NoExecute'] },
    { name: 'waits for its turn', state: 'unreachable', taints: [], more: { mayAdd: false }, are: 'nothing' },
    { name: 'stays', state: 'unreachable', taints: ['unreachable:NoExecute'], are: 'nothing' },
    {
      name: 'becomes the other one, without waiting',
      state: 'unreachable',
      taints: ['not-ready:NoExecute'],
      more: { mayAdd: false },
      are: ['unreachable:NoExecute'],
    },
    { name: 'goes when it is well', state: 'well', taints: ['unreachable:NoExecute'], are: [] },
    { name: 'stays while nobody knows', state: 'unclear', taints: ['unreachable:NoExecute'], are: 'nothing' },
    { name: 'does not come while nobody knows', state: 'unclear', taints: [], are: 'nothing' },
    {
      name: 'goes when most nodes seem gone',
      state: 'unreachable',
      taints: ['unreachable:NoExecute'],
      more: { stopped: true },
      are: [],
    },
    {
      name: 'does not come when most nodes seem gone',
      state: 'unreachable',
      taints: [],
      more: { stopped: true },
      are: 'nothing',
    },
    {
      name: "is none of people's",
      state: 'well',
      taints: ['out-of-service:NoExecute', 'a/b:NoExecute'],
      are: 'nothing',
    },
  ])('$name', ({ state, taints, more, are }) => {
    expect(shown(look(state, taints, more))).toEqual(are);
  });

  test('says since when, and is told of', () => {
    const { writes, events } = look('unreachable', []);
    expect(writes).toMatchObject([{ object: { spec: { taints: [{ timeAdded: agoMs(0) }] } } }]);
    expect(events).toMatchObject([{ reason: 'NodeTainted', after: writes[0] }]);
  });
});
