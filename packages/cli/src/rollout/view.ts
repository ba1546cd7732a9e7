import { humanDuration, type Live } from '@navarch/machinery';
import type { Event, Pod, PodTemplateSpec } from '@navarch/proto';
import { byTime } from '../event-order.ts';
import { objectName } from '../resource-args.ts';
import { podTrouble } from './pod-trouble.ts';
import { recordedOf } from './revisions.ts';
import type { RolloutKind, Workload } from './rollout-kind.ts';

/** All that a picture of a rollout is made from. */
export interface RolloutObjects {
  readonly rollout: RolloutKind;
  readonly object: Live<Workload>;
  /** The objects that remember its revisions, and its Pods; those of others may be among them. */
  readonly records: readonly Live<Workload>[];
  readonly pods: readonly Live<Pod>[];
  /** Events that say why probes fail, as far as they are known. */
  readonly failedProbes?: readonly Live<Event>[];
}

/** So many Pods that something keeps are named; of the others, only how many they are. */
const mostNamed = 6;
const barWidth = 30;

/**
 * A rollout at a moment, as lines: how much of it is done, the new Pods and the old ones, which Pods it waits for and why,
 * and how long it has left.
 */
export function rolloutView(objects: RolloutObjects, now: number): readonly string[] {
  const { rollout, object } = objects;
  const { desired, template, deadlineAt, failure, paused, minReadySeconds } = rollout.facts(object);
  const { newest, fresh, old } = sortPods(objects);
  const isAvailable = (pod: Live<Pod>) => podTrouble(pod, minReadySeconds, now) === undefined;
  const freshAvailable = fresh.filter(isAvailable).length;
  const number = newest === undefined ? '' : ` to revision ${newest}`;
  const { state, message } = rollout.progress(object);
  return [
    `${objectName(rollout.kind, object.metadata.name)}${number}: ${imagesOf(template)}`,
    `${bar(freshAvailable, desired)}  ${freshAvailable} of ${desired} new Pods available`,
    ...(old.length === 0 ? [] : [`${count(old.length, 'old Pod')} left, ${old.filter(isAvailable).length} available`]),
    message,
    ...(failure === '' ? [] : [`Pods can't be made: ${failure}`]),
    ...troubleLines(objects, now),
    ...(paused ? ['It is held; go on with `navctl rollout resume`.'] : []),
    ...(deadlineAt === undefined || state !== 'going' ? [] : [deadlineText(deadlineAt - now)]),
  ];
}

/** Which of the new Pods are not available, and why: the first few. */
export function troubleLines(objects: RolloutObjects, now: number): readonly string[] {
  const { rollout, object } = objects;
  const { minReadySeconds } = rollout.facts(object);
  const troubles = sortPods(objects).fresh.flatMap((pod) => {
    const trouble = podTrouble(pod, minReadySeconds, now, probeText(objects, pod));
    return trouble === undefined ? [] : [`  pod/${pod.metadata.name}: ${trouble}`];
  });
  const more = troubles.length - mostNamed;
  return more <= 0 ? troubles : [...troubles.slice(0, mostNamed), `  … and ${count(more, 'more Pod')}`];
}

/** What the last failed probe of a Pod said; '' when none did. */
function probeText({ failedProbes = [] }: RolloutObjects, { metadata }: Live<Pod>): string {
  const own = failedProbes.filter(({ involvedObject }) => involvedObject?.uid === metadata.uid);
  const said = byTime(own).at(-1)?.message ?? '';
  return /failed: (.*)/.exec(said)?.[1] ?? '';
}

/** The same lines for a screen that is so wide: broken between words, and what was broken is indented. */
export function fitted(lines: readonly string[], width: number): readonly string[] {
  return lines.flatMap((line) => {
    const rows: string[] = [];
    let row = '';
    for (const word of line.split(/(?<=\S) /)) {
      const longer = row === '' ? word : `${row} ${word}`;
      if (row === '' || longer.length <= width) row = longer;
      else {
        rows.push(row);
        row = `    ${word}`;
      }
    }
    return [...rows, row];
  });
}

/** The Pods of the newest template, and those of earlier ones, by name. What is ending belongs to neither. */
function sortPods({ rollout, object, records, pods }: RolloutObjects) {
  const recorded = recordedOf(rollout, object, records);
  const last = recorded.at(-1)?.revision;
  const hash = rollout.facts(object).newHash ?? last?.hash;
  const owners = new Set([object, ...recorded.map(({ record }) => record)].map(({ metadata }) => metadata.uid));
  const own = pods
    .filter(({ metadata }) => metadata.ownerReferences.some(({ uid }) => owners.has(uid)))
    .filter(({ metadata }) => metadata.deletionTimestamp === '')
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  const isFresh = ({ metadata }: Live<Pod>) => metadata.labels[rollout.hashLabel] === hash;
  return { newest: last?.number, fresh: own.filter(isFresh), old: own.filter((pod) => !isFresh(pod)) };
}

function imagesOf(template: PodTemplateSpec | undefined): string {
  return template?.spec?.containers.map(({ image }) => image).join(', ') ?? '';
}

function bar(done: number, all: number): string {
  const filled = all === 0 ? barWidth : Math.floor((Math.min(done, all) / all) * barWidth);
  return '█'.repeat(filled) + '░'.repeat(barWidth - filled);
}

function deadlineText(leftMs: number): string {
  return leftMs > 0 ? `${humanDuration(leftMs)} left until the progress deadline` : 'The progress deadline has come.';
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
