import { taintText } from '@navarch/kinds';
import { Obstacle as ObstacleMessage } from '@navarch/proto';
import { nominee } from '../cluster-state.ts';
import { podsResource } from '@navarch/kinds';
import { amountText } from './amount.ts';
import type { Holder, Obstacle } from './obstacles.ts';

/** Of many Pods that are in the way, so many are named. */
const mostNamed = 5;

/** The obstacle as it is told, with its amounts both in words and as numbers. */
export function obstacleMessage(obstacle: Obstacle): ObstacleMessage {
  const holders = 'holders' in obstacle ? obstacle.holders : [];
  return ObstacleMessage.fromPartial({
    filter: obstacle.filter,
    subject: subjectOf(obstacle),
    text: textOf(obstacle),
    ...numbersOf(obstacle),
    pods: holders.slice(0, mostNamed).map(nameOf),
  });
}

/** Of what, in a few words: equal for obstacles that people would call the same on other nodes. */
export function subjectOf(obstacle: Obstacle): string {
  switch (obstacle.type) {
    case 'resource':
      return obstacle.resource;
    case 'cordoned':
      return 'cordoned';
    case 'not-ready':
      return 'not ready';
    case 'taint':
      return `taint ${taintText(obstacle.taint)}`;
    case 'label':
      return `label ${obstacle.label}`;
    case 'node-affinity':
      return 'node affinity';
    case 'port':
      return `port ${obstacle.port}`;
    case 'claim':
      return `claim ${obstacle.claim}`;
    case 'spread':
      return `spread over ${obstacle.rule.topologyKey}`;
    case 'near':
      return `Pod affinity over ${obstacle.term.topologyKey}`;
    case 'far':
    case 'repelled':
      return `Pod anti-affinity over ${obstacle.term.topologyKey}`;
    case 'other':
      return obstacle.reasons.join(', ');
    default:
      return obstacle satisfies never;
  }
}

function textOf(obstacle: Obstacle): string {
  switch (obstacle.type) {
    case 'resource': {
      const { resource, needed, free, total } = obstacle;
      const amount = (value: number) => amountText(resource, value);
      if (resource === podsResource) return `pods: all ${amount(total)} that the node takes are there`;
      const left = free < 0 ? `none free of ${amount(total)}` : `${amount(free)} free of ${amount(total)}`;
      return `${resource}: needs ${amount(needed)}, ${left}: ${amount(needed - free)} short`;
    }
    case 'cordoned':
      return 'it is cordoned: it takes no new Pods';
    case 'not-ready':
      return 'it is not ready';
    case 'taint':
      return `it has the taint ${taintText(obstacle.taint)}, which the Pod does not tolerate`;
    case 'label': {
      const { label, wanted, found } = obstacle;
      return `nodeSelector wants ${label}=${wanted}, and it has ${found === undefined ? 'no such label' : `${label}=${found}`}`;
    }
    case 'node-affinity':
      return 'it is none of the nodes that the required node affinity chooses';
    case 'port':
      return `host port ${obstacle.port} is taken by ${named(obstacle.holders)}`;
    case 'claim': {
      const { claim, problem, nodeName } = obstacle;
      return problem === undefined ? `claim ${claim} has its data on node ${nodeName}` : `claim ${claim} ${problem}`;
    }
    case 'spread': {
      const { rule, part, count, fewest, most } = obstacle;
      if (part === undefined) return `spread: it has no label ${rule.topologyKey}`;
      return `spread over ${rule.topologyKey}: ${part} has ${count}, at most ${Math.max(0, most)} may be there before it comes (fewest anywhere ${fewest}, maxSkew ${rule.maxSkew})`;
    }
    case 'near':
      return obstacle.part === undefined
        ? `Pod affinity: it has no label ${obstacle.term.topologyKey}`
        : `Pod affinity over ${obstacle.term.topologyKey}: none of the Pods that it must be near is in ${obstacle.part}`;
    case 'far':
      return `Pod anti-affinity over ${obstacle.term.topologyKey}: ${obstacle.part ?? ''} has ${named(obstacle.holders)}`;
    case 'repelled':
      return `the anti-affinity of Pods in ${obstacle.part ?? ''} keeps it away: ${named(obstacle.holders)}`;
    case 'other':
      return obstacle.reasons.join(', ');
    default:
      return obstacle satisfies never;
  }
}

function numbersOf(obstacle: Obstacle): Pick<ObstacleMessage, 'needed' | 'free' | 'total'> {
  if (obstacle.type === 'resource') {
    const { needed, free, total } = obstacle;
    return { needed: BigInt(needed), free: BigInt(free), total: Number.isFinite(total) ? BigInt(total) : -1n };
  }
  if (obstacle.type === 'spread') {
    return { needed: BigInt(obstacle.most), free: BigInt(obstacle.count), total: BigInt(obstacle.fewest) };
  }
  return { needed: 0n, free: 0n, total: 0n };
}

function named(holders: readonly Holder[]): string {
  const names = holders.slice(0, mostNamed).map(nameOf);
  const more = holders.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function nameOf({ key }: Holder): string {
  const waiting = nominee(key);
  return waiting === undefined ? key : `${waiting}, which room is kept for`;
}
