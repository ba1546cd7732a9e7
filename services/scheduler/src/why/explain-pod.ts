import { takesRoom } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type AbleNode, ExplainResponse, type Pod, PodStanding, type RefusedNodes } from '@navarch/proto';
import { nomination } from '../cluster-state.ts';
import { type PodInfo, toPodInfo } from '../pod-info.ts';
import type { Profile } from '../profiles.ts';
import { ranking } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { changeText, commandOf } from './change.ts';
import { obstacleMessage, subjectOf } from './obstacle-text.ts';
import { cordonTaints, type Obstacle, obstaclesOf, unreadyTaints } from './obstacles.ts';
import type { Picture } from './picture.ts';
import { smallestChanges } from './smallest-changes.ts';

/** Of the nodes that can have a Pod, and of each group of those that can't, so many are told. */
const mostNodes = 20;

type Answer = Generator<void, Partial<ExplainResponse>, void>;

/**
 * How it stands with a Pod, in full but for the revision. Yields between steps that take long. The picture's snapshot is used
 * up.
 */
export function* explainPod(pod: Live<Pod>, picture: Picture): Answer {
  const { snapshot } = picture;
  const info = picture.withClaims(toPodInfo(pod));
  // Its own room, taken or kept, is not in its way.
  snapshot.take(info.key);
  snapshot.take(nomination(info.key));
  const profile = picture.profiles.get(info.schedulerName);
  const common = { nodes: snapshot.nodes.length, nodeName: pod.spec.nodeName };
  const aside = standsAside(pod, info, picture);
  if (aside !== undefined || profile === undefined) return { ...common, ...aside };
  const { refused, able } = yield* judgeNodes(info, snapshot, profile, pod.spec.nodeName);
  const told = { ...common, refused, able: able.slice(0, mostNodes), ableNodes: able.length };
  if (pod.spec.nodeName !== '') return { ...told, ...placed(pod.spec.nodeName, able) };
  const nodeName = picture.nominationOf(info);
  if (nodeName !== undefined && picture.isLeaving(info)) {
    const summary = `less important Pods are leaving node ${nodeName} for it`;
    return { ...told, nodeName, standing: PodStanding.MAKING_ROOM, summary };
  }
  if (able.length > 0) return { ...told, ...about(pod, picture.waits(info.key), able.length, common.nodes) };
  const problem = info.claims.find((claim) => claim.problem !== undefined);
  if (problem?.problem !== undefined) {
    const summary = `it waits for its claim ${problem.name}, which ${problem.problem}`;
    return { ...told, standing: PodStanding.HELD, summary };
  }
  const changes = yield* smallestChanges(info, snapshot, profile);
  return {
    ...told,
    standing: PodStanding.REFUSED,
    summary: common.nodes === 0 ? 'there are no nodes' : `0 of ${common.nodes} nodes can have it`,
    changes: changes.map(({ changes: steps, cost, nodeName }) => ({
      steps: steps.map(changeText),
      commands: steps.map(commandOf).filter((command) => command !== ''),
      cost,
      nodeName,
    })),
  };
}

/** What keeps anybody from looking for a node. */
function standsAside(pod: Live<Pod>, info: PodInfo, { profiles }: Picture): Partial<ExplainResponse> | undefined {
  const { metadata, spec, status } = pod;
  if (!takesRoom(pod)) {
    return { standing: PodStanding.OVER, summary: `it has ended (${status.phase})` };
  }
  if (metadata.deletionTimestamp !== '' && spec.nodeName === '') {
    return { standing: PodStanding.OVER, summary: 'it was asked to go before it had a node' };
  }
  if (spec.nodeName === '' && spec.schedulingGates.length > 0) {
    const names = spec.schedulingGates.map(({ name }) => name).join(', ');
    const summary = `nobody looks for a node until its scheduling gates are taken off: ${names}`;
    return { standing: PodStanding.HELD, summary };
  }
  if (profiles.has(info.schedulerName)) return undefined;
  if (spec.nodeName !== '') {
    const summary = `it is on node ${spec.nodeName}, by other means than this scheduler (schedulerName "${info.schedulerName}")`;
    return { standing: PodStanding.PLACED, summary };
  }
  const known = [...profiles.keys()].toSorted().join(', ');
  const summary = `it asks for the scheduler "${info.schedulerName}", which this is not; here are: ${known}`;
  return { standing: PodStanding.UNKNOWN_SCHEDULER, summary };
}

function placed(nodeName: string, able: readonly AbleNode[]): Partial<ExplainResponse> {
  const rank = able.findIndex(({ chosen }) => chosen);
  const others = able.length === 1 ? 'no other node could have it' : `${able.length} nodes could have it`;
  const now =
    rank < 0
      ? 'decided now, it could not be there'
      : rank === 0
        ? `decided now, it would be the best place: ${others}`
        : `decided now, ${rank} ${rank === 1 ? 'node suits' : 'nodes suit'} it better`;
  return { standing: PodStanding.PLACED, summary: `it is on node ${nodeName}; ${now}` };
}

/** Nodes can have it; what kept it when it was last tried may be more than nodes, such as others of its group. */
function about(
  { status }: Live<Pod>,
  waits: ReturnType<Picture['waits']>,
  able: number,
  nodes: number,
): Partial<ExplainResponse> {
  const last = status.conditions.find((each) => each.type === 'PodScheduled' && each.status === 'False');
  const when = waits === 'backoff' ? 'it is tried again in some seconds' : 'it is about to be placed';
  const then = last === undefined ? when : `when it was last tried: ${last.message.replace(/\.$/, '')}`;
  const summary = `${able} of ${nodes} nodes can have it now; ${then}`;
  return { standing: PodStanding.ABOUT_TO_BE_PLACED, summary };
}

interface Refused {
  readonly name: string;
  readonly obstacles: readonly Obstacle[];
}

function* judgeNodes(info: PodInfo, snapshot: Snapshot, profile: Profile, nodeName: string) {
  const obstacles = obstaclesOf(info, snapshot);
  const groups = new Map<string, Refused[]>();
  for (const [place, { name }] of snapshot.nodes.entries()) {
    const found = withoutEchoes(obstacles(place));
    if (found.length > 0) {
      const reason = [...new Set(found.map(subjectOf))].join(', ');
      const group = groups.get(reason) ?? [];
      group.push({ name, obstacles: found });
      groups.set(reason, group);
    }
    yield;
  }
  const able = ranking(info, snapshot, profile).map(
    ({ name, preference, worth, pods }): AbleNode => ({
      name,
      preference,
      score: worth,
      pods,
      chosen: name === nodeName,
    }),
  );
  const refused = [...groups]
    .sort(([one, ones], [other, others]) => others.length - ones.length || (one < other ? -1 : 1))
    .map(([reason, nodes]) => refusedNodes(reason, nodes));
  return { refused, able };
}

/** The taint that a cordon brings, or not being ready, says the same once more. */
function withoutEchoes(obstacles: readonly Obstacle[]): readonly Obstacle[] {
  const has = (type: Obstacle['type']) => obstacles.some((each) => each.type === type);
  const said = [...(has('cordoned') ? cordonTaints : []), ...(has('not-ready') ? unreadyTaints : [])];
  return said.length === 0
    ? obstacles
    : obstacles.filter((each) => each.type !== 'taint' || !said.includes(each.taint.key));
}

function refusedNodes(reason: string, nodes: readonly Refused[]): RefusedNodes {
  const closest = nodes.toSorted((one, other) => shortfall(one) - shortfall(other) || (one.name < other.name ? -1 : 1));
  return {
    reason,
    count: nodes.length,
    nodes: closest
      .slice(0, mostNodes)
      .map(({ name, obstacles }) => ({ name, obstacles: obstacles.map(obstacleMessage) })),
  };
}

/** How far the node is from having enough, as a part of what is asked. */
function shortfall({ obstacles }: Refused): number {
  return obstacles.reduce((sum, each) => {
    if (each.type === 'resource') return sum + (each.needed - each.free) / each.needed;
    return each.type === 'spread' ? sum + each.count - each.most : sum;
  }, 0);
}
