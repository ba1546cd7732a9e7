import type { NodeSelectorRequirement } from '@navarch/proto';
import { nominee } from '../cluster-state.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { podsResource } from '@navarch/kinds';
import type { Change } from './change.ts';
import { cordonTaints, type Holder, type Obstacle, unreadyTaints } from './obstacles.ts';

/** More Pods than this are not proposed to go. */
const mostPods = 10;

/** What would lift the obstacle, the cheaper first where that matters. Whether it does is for a trial to show. */
export function remediesOf(obstacle: Obstacle, pod: PodInfo, node: NodeInfo): readonly Change[] {
  const nodeName = node.name;
  switch (obstacle.type) {
    case 'resource': {
      const { resource, needed, free } = obstacle;
      const less = { type: 'ask-less', resource, needed, to: free } as const;
      return [
        ...(resource !== podsResource && free > 0 ? [less] : []),
        ...fewer(freeing(resource, needed - free, node)),
      ];
    }
    case 'cordoned':
      return [{ type: 'uncordon', nodeName }];
    case 'not-ready':
      return [{ type: 'make-ready', nodeName }];
    case 'taint': {
      const { taint } = obstacle;
      if (unreadyTaints.includes(taint.key)) return [{ type: 'make-ready', nodeName }];
      if (cordonTaints.includes(taint.key)) return [{ type: 'uncordon', nodeName }];
      return [{ type: 'tolerate', taint: { key: taint.key, value: taint.value, effect: taint.effect } }];
    }
    case 'label': {
      const { label, wanted: value } = obstacle;
      return [
        { type: 'label-node', nodeName, label, value },
        { type: 'drop-selector', label, value },
      ];
    }
    case 'node-affinity':
      return [...labelling(pod, node), { type: 'drop-node-affinity' }];
    case 'port':
      return [{ type: 'drop-port', port: obstacle.port }, ...fewer(obstacle.holders)];
    case 'spread': {
      const { rule, part, count, most, holders } = obstacle;
      if (part === undefined) return [];
      const to = rule.maxSkew + count - most;
      const widen = { type: 'allow-skew', topologyKey: rule.topologyKey, from: rule.maxSkew, to } as const;
      return [widen, ...fewer(holders.slice(0, count - most))];
    }
    case 'near':
    case 'far': {
      const { type, term, holders } = obstacle;
      const drop = { type: 'drop-pod-rule', rule: type, topologyKey: term.topologyKey, key: term.key } as const;
      return [drop, ...fewer(holders)];
    }
    case 'repelled':
      return fewer(obstacle.holders);
    case 'claim':
    case 'other':
      return [];
    default:
      return obstacle satisfies never;
  }
}

/** Whether the change is meant to lift the obstacle: it may be one that another obstacle brought up. */
export function lifts(change: Change, obstacle: Obstacle): boolean {
  switch (change.type) {
    case 'uncordon':
      return obstacle.type === 'cordoned' || (obstacle.type === 'taint' && cordonTaints.includes(obstacle.taint.key));
    case 'make-ready':
      return obstacle.type === 'not-ready' || (obstacle.type === 'taint' && unreadyTaints.includes(obstacle.taint.key));
    case 'tolerate': {
      const { key, value, effect } = change.taint;
      const { taint } = obstacle.type === 'taint' ? obstacle : {};
      return taint?.key === key && taint.value === value && taint.effect === effect;
    }
    case 'ask-less':
      return obstacle.type === 'resource' && obstacle.resource === change.resource && change.to <= obstacle.free;
    case 'label-node':
    case 'drop-selector':
      return (
        (obstacle.type === 'label' && obstacle.label === change.label) ||
        (obstacle.type === 'node-affinity' && change.type === 'label-node')
      );
    case 'drop-node-affinity':
      return obstacle.type === 'node-affinity';
    case 'drop-port':
      return obstacle.type === 'port' && obstacle.port === change.port;
    case 'allow-skew':
      return obstacle.type === 'spread' && obstacle.rule.topologyKey === change.topologyKey;
    case 'drop-pod-rule':
      return obstacle.type === change.rule && obstacle.term.key === change.key;
    case 'fewer-pods':
      // Who leaves takes along all that is its: only a trial shows what that lifts.
      return ['resource', 'port', 'spread', 'far', 'repelled'].includes(obstacle.type);
    default:
      return change satisfies never;
  }
}

function fewer(holders: readonly Holder[]): readonly Change[] {
  const stays =
    holders.length === 0 || holders.length > mostPods || holders.some(({ key }) => nominee(key) !== undefined);
  return stays ? [] : [{ type: 'fewer-pods', pods: holders }];
}

/** The fewest Pods of the node that have so much of the resource. */
function freeing(resource: string, short: number, { name, pods }: NodeInfo): readonly Holder[] {
  const largest = [...pods]
    .map(([key, { requests }]) => ({ key, amount: requests[resource] ?? 0 }))
    .filter(({ key, amount }) => amount > 0 && nominee(key) === undefined)
    .sort((one, other) => other.amount - one.amount || (one.key < other.key ? -1 : 1));
  const chosen: Holder[] = [];
  let left = short;
  for (const { key, amount } of largest) {
    if (left <= 0 || chosen.length > mostPods) break;
    chosen.push({ key, nodeName: name });
    left -= amount;
  }
  return left > 0 ? [] : chosen;
}

/** One label that would make the node what the Pod requires. */
function labelling({ terms = [] }: PodInfo, { name: nodeName, labels }: NodeInfo): readonly Change[] {
  return terms.flatMap(({ matchExpressions, matchFields }): readonly Change[] => {
    const missing = matchExpressions.filter((each) => !meets(each, labels[each.key]));
    const [one] = missing;
    if (matchFields.length > 0 || one === undefined || missing.length > 1) return [];
    if (one.operator !== 'In' && one.operator !== 'Exists') return [];
    const value = one.operator === 'In' ? one.values[0] : 'true';
    return value === undefined ? [] : [{ type: 'label-node', nodeName, label: one.key, value }];
  });
}

function meets({ operator, values }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      // A comparison of numbers: no label is proposed for it.
      return false;
  }
}
