import { PodSpec } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { validatePlacement } from './affinity-rules.ts';
import { pod } from './pod.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
const paths = (spec: object) => validatePlacement(PodSpec.fromJSON(spec), 'spec').map(({ path }) => path);
const nodeTerm = (term: object) => ({ nodeAffinity: { [required]: { nodeSelectorTerms: [term] } } });
const near = (term: object) => ({ podAffinity: { [required]: [{ topologyKey: 'zone', ...term }] } });
const nodeAt = `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms[0]`;
const podAt = `spec.affinity.podAffinity.${required}[0]`;

describe('where a Pod may be placed', () => {
  test.each<{ name: string; spec: object; refused: string[] }>([
    {
      name: 'a label that must have one of some values',
      spec: { affinity: nodeTerm({ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }) },
      refused: [],
    },
    {
      name: 'In without values',
      spec: { affinity: nodeTerm({ matchExpressions: [{ key: 'disk', operator: 'In' }] }) },
      refused: [`${nodeAt}.matchExpressions[0].values`],
    },
    {
      name: 'Exists with values',
      spec: { affinity: nodeTerm({ matchExpressions: [{ key: 'disk', operator: 'Exists', values: ['ssd'] }] }) },
      refused: [`${nodeAt}.matchExpressions[0].values`],
    },
    {
      name: 'Gt with what is no number',
      spec: { affinity: nodeTerm({ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['many'] }] }) },
      refused: [`${nodeAt}.matchExpressions[0].values`],
    },
    {
      name: 'a node by its name',
      spec: { affinity: nodeTerm({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }) },
      refused: [],
    },
    {
      name: 'liked nodes',
      spec: {
        affinity: {
          nodeAffinity: {
            [preferred]: [{ weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'NotIn' }] } }],
          },
        },
      },
      refused: [`spec.affinity.nodeAffinity.${preferred}[0].preference.matchExpressions[0].values`],
    },
    {
      name: 'keys to match without a selector',
      spec: { affinity: near({ matchLabelKeys: ['app'] }) },
      refused: [`${podAt}.matchLabelKeys`],
    },
    {
      name: 'a key that must match and must not',
      spec: { affinity: near({ labelSelector: {}, matchLabelKeys: ['app'], mismatchLabelKeys: ['app'] }) },
      refused: [`${podAt}.mismatchLabelKeys[0]`],
    },
    {
      name: 'a fewest number of zones for a mere wish',
      spec: {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 },
        ],
      },
      refused: ['spec.topologySpreadConstraints[0].minDomains'],
    },
    {
      name: 'the same constraint twice',
      spec: {
        topologySpreadConstraints: [1, 2].map((maxSkew) => ({
          maxSkew,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
        })),
      },
      refused: ['spec.topologySpreadConstraints[1]'],
    },
    {
      name: 'a key to match that the selector speaks of',
      spec: {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
            matchLabelKeys: ['app'],
          },
        ],
      },
      refused: ['spec.topologySpreadConstraints[0].matchLabelKeys[0]'],
    },
    {
      name: 'a gate twice',
      spec: { schedulingGates: [{ name: 'a' }, { name: 'a' }] },
      refused: ['spec.schedulingGates[1].name'],
    },
  ])('$name', ({ spec, refused }) => expect(paths(spec)).toEqual(refused));
});

describe('a Pod with scheduling gates', () => {
  const gated = (spec: object) => pod.message.fromJSON({ metadata: { name: 'p' }, spec });
  const before = gated({ schedulingGates: [{ name: 'a' }, { name: 'b' }], nodeSelector: { disk: 'ssd' } });
  test.each<{ name: string; after: object; refused: string[] }>([
    { name: 'loses one', after: { schedulingGates: [{ name: 'b' }], nodeSelector: { disk: 'ssd' } }, refused: [] },
    {
      name: 'gets no other',
      after: { schedulingGates: [{ name: 'a' }, { name: 'c' }], nodeSelector: { disk: 'ssd' } },
      refused: ['spec.schedulingGates[1]'],
    },
    {
      name: 'may be narrowed meanwhile',
      after: { schedulingGates: [{ name: 'a' }], nodeSelector: { disk: 'ssd', zone: 'x' } },
      refused: [],
    },
    {
      name: 'may not be widened',
      after: { schedulingGates: [{ name: 'a' }], nodeSelector: {} },
      refused: ['spec.nodeSelector'],
    },
  ])('$name', ({ after, refused }) => {
    expect(pod.validateUpdate?.(gated(after), before).map(({ path }) => path)).toEqual(refused);
  });
  test('that has none any more can not be narrowed', () => {
    const free = gated({ nodeSelector: {} });
    const errors = pod.validateUpdate?.(gated({ nodeSelector: { zone: 'x' } }), free);
    expect(errors?.map(({ path }) => path)).toEqual(['spec.nodeSelector']);
  });
});
