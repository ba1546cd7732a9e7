import { Option } from 'commander';
import { wholeNumber } from '../options.ts';
import { readPairs } from '../pairs.ts';
import { UserError } from '../session.ts';
import { type Maker, maker } from './maker.ts';

const namespace = maker({
  path: ['namespace'],
  aliases: ['ns'],
  apiVersion: 'v1',
  kind: 'Namespace',
  description: 'Make a namespace',
  options: () => [],
  examples: ['namespace team-a'],
  make: () => ({}),
});

const serviceAccount = maker({
  path: ['serviceaccount'],
  aliases: ['sa'],
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  description: 'Make a service account: who Pods are to the api',
  options: () => [],
  examples: ['serviceaccount builder'],
  make: () => ({}),
});

const quota = maker<{ readonly hard?: string; readonly scopes?: string }>({
  path: ['quota'],
  aliases: ['resourcequota'],
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  description: 'Make a ResourceQuota: how much all objects of a namespace together may take',
  options: () => [
    new Option('--hard <amounts>', 'the most of each: pods=10,requests.cpu=4'),
    new Option('--scopes <scopes>', 'count only such Pods: BestEffort,NotTerminating'),
  ],
  examples: ['quota team-a --hard=pods=10,requests.cpu=4,requests.memory=8Gi'],
  make: (_name, { hard, scopes }) => ({
    spec: {
      ...(hard !== undefined && { hard: readPairs('--hard', [hard], 'pods=10,requests.cpu=4') }),
      ...(scopes !== undefined && { scopes: scopes.split(',') }),
    },
  }),
});

interface PriorityFlags {
  readonly value: number;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy?: string;
}

const priorityClass = maker<PriorityFlags>({
  path: ['priorityclass'],
  aliases: ['pc'],
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  description: 'Make a PriorityClass: how much more important some Pods are than others',
  options: () => [
    new Option('--value <number>', 'the larger, the more important').argParser(wholeNumber).default(0),
    new Option('--global-default', 'Pods that name no class get this one'),
    new Option('--description <text>', 'for whom it is meant'),
    new Option('--preemption-policy <policy>', 'whether its Pods may push others out').choices([
      'PreemptLowerPriority',
      'Never',
    ]),
  ],
  examples: ['priorityclass urgent --value=1000 --description="what customers see"'],
  make: (_name, { value, globalDefault, description, preemptionPolicy }) => ({
    value,
    ...(globalDefault === true && { globalDefault }),
    ...(description !== undefined && { description }),
    ...(preemptionPolicy !== undefined && { preemptionPolicy }),
  }),
});

interface BudgetFlags {
  readonly selector?: string;
  readonly minAvailable?: string;
  readonly maxUnavailable?: string;
}

const budget = maker<BudgetFlags>({
  path: ['poddisruptionbudget'],
  aliases: ['pdb'],
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  description: 'Make a PodDisruptionBudget: how many Pods of a group may be taken away at once',
  options: () => [
    new Option('--selector <labels>', 'which Pods: app=web'),
    new Option('--min-available <count>', 'so many must stay: 2 or 50%'),
    new Option('--max-unavailable <count>', 'so many may be missing: 1 or 25%').conflicts('minAvailable'),
  ],
  examples: [
    'poddisruptionbudget web --selector=app=web --min-available=2',
    'pdb web --selector=app=web --max-unavailable=25%',
  ],
  make: (_name, { selector, minAvailable, maxUnavailable }) => {
    if (selector === undefined) throw new UserError('say which Pods: --selector=app=web');
    if (minAvailable === undefined && maxUnavailable === undefined) {
      throw new UserError('say how many: --min-available or --max-unavailable');
    }
    return {
      spec: {
        selector: { matchLabels: readPairs('--selector', [selector], 'app=web') },
        ...(minAvailable !== undefined && { minAvailable: count(minAvailable) }),
        ...(maxUnavailable !== undefined && { maxUnavailable: count(maxUnavailable) }),
      },
    };
  },
});

function count(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

export const policyMakers: readonly Maker[] = [namespace, serviceAccount, quota, priorityClass, budget];
