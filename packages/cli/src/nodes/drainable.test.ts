import type { Live } from '@navarch/machinery';
import { Pod } from '@navarch/proto';
import { expect, test } from 'vitest';
import { drainable, type DrainRules } from './drainable.ts';

const pod = (name: string, more: { by?: string; phase?: string; emptyDir?: boolean; going?: boolean } = {}) =>
  Pod.fromPartial({
    metadata: {
      name,
      namespace: 'default',
      deletionTimestamp: more.going === true ? '2026-01-01T00:00:00Z' : '',
      ownerReferences: more.by === undefined ? [] : [{ kind: more.by, name: 'owner', controller: true }],
    },
    spec: { volumes: more.emptyDir === true ? [{ name: 'v', emptyDir: {} }] : [] },
    status: { phase: more.phase ?? 'Running' },
  }) as Live<Pod>; // metadata, spec and status are given

const set = (name: string, more: object = {}) => pod(name, { by: 'ReplicaSet', ...more });

test.each<{
  name: string;
  pods: Live<Pod>[];
  rules?: DrainRules;
  going: string[];
  objections?: string[];
  warnings?: string[];
}>([
  { name: "a set's Pod goes", pods: [set('a')], going: ['a'] },
  {
    name: 'one that nobody makes again needs --force',
    pods: [set('a'), pod('b')],
    going: ['a', 'b'],
    objections: ['nobody would make these Pods again (--force evicts them all the same): default/b'],
  },
  {
    name: 'with --force it goes',
    pods: [pod('b')],
    rules: { force: true },
    going: ['b'],
    warnings: ['evicting Pods that nobody will make again: default/b'],
  },
  {
    name: "a DaemonSet's Pod is in the way",
    pods: [pod('d', { by: 'DaemonSet', emptyDir: true })],
    going: [],
    objections: ['a DaemonSet would make these Pods again here (--ignore-daemonsets leaves them): default/d'],
  },
  {
    name: 'with --ignore-daemonsets it stays, volumes and all',
    pods: [pod('d', { by: 'DaemonSet', emptyDir: true }), set('a')],
    rules: { ignoreDaemonsets: true },
    going: ['a'],
    warnings: ['leaving Pods of DaemonSets: default/d'],
  },
  {
    name: "a DaemonSet's Pod that has ended goes",
    pods: [pod('d', { by: 'DaemonSet', phase: 'Failed' })],
    going: ['d'],
  },
  {
    name: 'emptyDir volumes need --delete-emptydir-data',
    pods: [set('a', { emptyDir: true })],
    going: ['a'],
    objections: [
      'these Pods would lose their emptyDir volumes (--delete-emptydir-data evicts them all the same): default/a',
    ],
  },
  {
    name: 'what has ended, or is going, loses nothing',
    pods: [pod('a', { phase: 'Succeeded', emptyDir: true }), pod('b', { going: true })],
    going: ['a', 'b'],
  },
])('$name', ({ pods, rules = {}, going, objections = [], warnings = [] }) => {
  const found = drainable(pods, rules);
  expect(found.going.map(({ metadata }) => metadata.name)).toEqual(going);
  expect(found).toMatchObject({ objections, warnings });
});
