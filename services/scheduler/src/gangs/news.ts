import { type Live, parseKey } from '@navarch/machinery';
import type { Pod, PodGroup, Queue } from '@navarch/proto';
import { withUnschedulable } from '../pod-conditions.ts';
import type { GangBook } from './book.ts';
import { queueStatusOf } from './queue-status.ts';
import { statusOf, type Why } from './status.ts';

/** Objects whose status says something new. */
export interface News {
  readonly groups: readonly Live<PodGroup>[];
  readonly queues: readonly Live<Queue>[];
  readonly pods: readonly Live<Pod>[];
}

/** What is new of groups, of their members that wait, and of queues. */
export function newsOf(
  book: GangBook,
  about: { readonly groups: readonly string[]; readonly queues: readonly string[] },
  why: (key: string) => Why | undefined,
  now: number,
): News {
  const groups = about.groups.flatMap((key) => {
    const group = book.group(key);
    if (group === undefined) return [];
    const status = statusOf(group, why(key), group.object.status.reservation, now);
    return status === group.object.status ? [] : [{ ...group.object, status }];
  });
  const queues = about.queues.flatMap((name) => {
    const queue = book.queue(name);
    if (queue === undefined) return [];
    const status = queueStatusOf(queue, book.inLine(name));
    return status === queue.status ? [] : [{ ...queue, status }];
  });
  return { groups, queues, pods: about.groups.flatMap((key) => waitingPods(book, key, why(key), now)) };
}

/** The members that wait, with what is to be said in them. The group itself says more: what is said a thousand times is short. */
function waitingPods(book: GangBook, key: string, why: Why | undefined, now: number): readonly Live<Pod>[] {
  const group = book.group(key);
  const waiting = group?.waiting ?? book.pods(key).filter(({ pod }) => pod.spec.nodeName === '');
  const reason = reasonOf(group, why);
  if (reason === undefined) return [];
  const { name } = parseKey(key);
  const message = `waits for its PodGroup ${name} (${reason}): see navctl describe podgroup ${name}`;
  return waiting.flatMap(({ pod }) => withUnschedulable(pod, message, now) ?? []);
}

function reasonOf(group: { readonly ready: boolean } | undefined, why: Why | undefined): string | undefined {
  if (group === undefined) return 'there is no such PodGroup';
  return group.ready ? why?.reason : 'MembersMissing';
}
