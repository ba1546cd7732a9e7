import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultProfiles } from './profiles.ts';
import { configurationFile, readConfiguration } from './profiles-file.ts';

const file = (...lines: string[]) =>
  ['apiVersion: scheduler.navarch.io/v1', 'kind: SchedulerConfiguration', ...lines].join('\n');
const profiles = (...lines: string[]) => file('profiles:', ...lines.map((line) => `  ${line}`));
const read = (text: string) => readConfiguration(text, 'p.yaml').profiles;
const complaint = (text: string) => {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message.replace('nothing was started, because:\n', '').replaceAll(/^ {2}/gm, '');
  }
  return 'none';
};

describe('a file of profiles', () => {
  test('gives its profiles, with the usual weights and resources where it says nothing', () => {
    const text = profiles(
      '- schedulerName: default-scheduler',
      '  strategy: least-remaining',
      '- schedulerName: packing',
      '  scores:',
      '    - name: NodeResourcesFit',
      '      weight: 5',
      '      scoringStrategy: { type: MostAllocated, resources: [{ name: cpu }, { name: example.com/gpu, weight: 3 }] }',
      '    - name: NodeResourcesBalancedAllocation',
      '    - name: TaintToleration',
    );
    expect(read(text)).toEqual([
      { schedulerName: 'default-scheduler', strategy: 'least-remaining' },
      {
        schedulerName: 'packing',
        scores: [
          {
            name: 'NodeResourcesFit',
            weight: 5,
            scoringStrategy: {
              type: 'MostAllocated',
              resources: [
                { name: 'cpu', weight: 1 },
                { name: 'example.com/gpu', weight: 3 },
              ],
            },
          },
          {
            name: 'NodeResourcesBalancedAllocation',
            weight: 1,
            resources: [
              { name: 'cpu', weight: 1 },
              { name: 'memory', weight: 1 },
            ],
          },
          { name: 'TaintToleration', weight: 3 },
        ],
      },
    ]);
  });

  test('can say what is built in', () => {
    const plugins = [
      'NodeResourcesFit',
      'NodeResourcesBalancedAllocation',
      'ImageLocality',
      'TaintToleration',
      'NodeAffinity',
      'PodTopologySpread',
      'InterPodAffinity',
    ];
    const strategies = defaultProfiles.flatMap(({ schedulerName, strategy }) =>
      strategy === undefined ? [] : [`- { schedulerName: ${schedulerName}, strategy: ${strategy} }`],
    );
    const scores = plugins.map((name) => `    - name: ${name}`);
    const text = profiles(...strategies, '- schedulerName: kubernetes-defaults', '  scores:', ...scores);
    expect(read(text)).toEqual(defaultProfiles);
  });

  test.each([
    { name: 'nothing', text: '', says: 'p.yaml:1:1 is empty' },
    { name: 'no YAML', text: 'a: [', says: expect.stringMatching(/^p\.yaml:1:5 ./) as string },
    {
      name: 'two documents',
      text: `${file('profiles: []')}\n---\na: 1`,
      says: 'p.yaml:5:1 a second document; there must be one',
    },
    { name: 'no profiles', text: file('profiles: []'), says: 'p.yaml:3:1 profiles: must have at least 1 items' },
    {
      name: 'a field misspelt',
      text: profiles('- schedulerNam: a', '  strategy: argmax'),
      says: [
        'p.yaml:4:5 profiles[0].schedulerNam: unknown field; did you mean "schedulerName"?',
        'p.yaml:4:5 profiles[0].schedulerName: must be set',
      ].join('\n'),
    },
    {
      name: 'a strategy misspelt',
      text: profiles('- schedulerName: a', '  strategy: argmx'),
      says: 'p.yaml:5:5 profiles[0].strategy: "argmx" must be one of argmax, random, round-robin, least-remaining; did you mean "argmax"?',
    },
    {
      name: 'a plugin that is none, and a weight that is text',
      text: profiles('- schedulerName: a', '  scores: [{ name: ImageLocalty, weight: "2" }]'),
      says: [
        'p.yaml:5:16 profiles[0].scores[0].name: "ImageLocalty" must be one of NodeResourcesFit, NodeResourcesBalancedAllocation, ImageLocality, TaintToleration, NodeAffinity, PodTopologySpread, InterPodAffinity; did you mean "ImageLocality"?',
        'p.yaml:5:36 profiles[0].scores[0].weight: must be a whole number, not "2"',
      ].join('\n'),
    },
    {
      name: 'neither strategy nor scores',
      text: profiles('- schedulerName: a'),
      says: 'p.yaml:4:5 profiles[0]: must have a strategy, or scores, or both',
    },
    {
      name: 'a name twice',
      text: profiles('- { schedulerName: a, strategy: random }', '- { schedulerName: a, strategy: argmax }'),
      says: 'p.yaml:5:7 profiles[1].schedulerName: "a" is profiles[0] already',
    },
    {
      name: 'a plugin twice',
      text: profiles('- { schedulerName: a, scores: [{ name: NodeAffinity }, { name: NodeAffinity }] }'),
      says: 'p.yaml:4:60 profiles[0].scores[1].name: NodeAffinity is profiles[0].scores[0] already',
    },
    {
      name: 'resources scored beside a strategy',
      text: profiles('- { schedulerName: a, strategy: argmax, scores: [{ name: NodeResourcesFit }] }'),
      says: 'p.yaml:4:54 profiles[0].scores[0].name: NodeResourcesFit does not go with a strategy, which itself says what room is worth; TaintToleration, NodeAffinity, PodTopologySpread, InterPodAffinity do',
    },
    {
      name: 'a setting of another plugin',
      text: profiles('- { schedulerName: a, scores: [{ name: NodeResourcesFit, resources: [{ name: cpu }] }] }'),
      says: "p.yaml:4:60 profiles[0].scores[0].resources: is NodeResourcesBalancedAllocation's alone, not NodeResourcesFit's; write scoringStrategy.resources",
    },
    {
      name: 'a line without points',
      text: profiles(
        '- schedulerName: a',
        '  scores: [{ name: NodeResourcesFit, scoringStrategy: { type: RequestedToCapacityRatio } }]',
      ),
      says: 'p.yaml:5:40 profiles[0].scores[0].scoringStrategy.requestedToCapacityRatio: must be set, with the points of its shape',
    },
    {
      name: 'points out of order',
      text: profiles(
        '- schedulerName: a',
        '  scores:',
        '    - name: NodeResourcesFit',
        '      scoringStrategy:',
        '        type: RequestedToCapacityRatio',
        '        requestedToCapacityRatio:',
        '          shape: [{ utilization: 50, score: 1 }, { utilization: 50, score: 10 }]',
      ),
      says: 'p.yaml:10:54 profiles[0].scores[0].scoringStrategy.requestedToCapacityRatio.shape[1].utilization: must be more than the point before it has, 50',
    },
    {
      name: 'another kind of file',
      text: 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles: [{ schedulerName: a, strategy: random }]',
      says: [
        'p.yaml:1:1 apiVersion: "kubescheduler.config.k8s.io/v1" must be one of scheduler.navarch.io/v1',
        'p.yaml:2:1 kind: "KubeSchedulerConfiguration" must be one of SchedulerConfiguration; did you mean "SchedulerConfiguration"?',
      ].join('\n'),
    },
  ])('with $name is refused, and it says where', ({ text, says }) => {
    expect(complaint(text)).toEqual(says);
  });

  test('of the guide is right, each of them', () => {
    const guide = readFileSync(new URL('../../../docs/guide/scheduler-profiles.md', import.meta.url), 'utf8');
    const examples = [...guide.matchAll(/```yaml\n(apiVersion: scheduler.*?)```/gs)].map(([, text = '']) => text);
    expect(examples.length).toBeGreaterThan(2);
    for (const example of examples) expect(complaint(example)).toBe('none');
  });

  test('that is not there is named', () => {
    expect(() => configurationFile('/nowhere/p.yaml')).toThrow(/can't be read: .*\/nowhere\/p\.yaml/);
  });
});
