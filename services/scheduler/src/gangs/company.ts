import { nomination, nominee } from '../cluster-state.ts';
import type { Company } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';
import type { GangBook } from './book.ts';

/**
 * Who leaves together: of a group those members may leave singly that it can spare, which are beyond minMember; when one more has
 * to, all of them do. Places that are kept for a group go together as well. Nobody leaves whose group has members that are as
 * important as who pushes.
 */
export function companyOf(book: GangBook, snapshot: Snapshot, priority: number, leaving: ReadonlySet<string>): Company {
  return (victims) => {
    const all = new Set(victims);
    const groups = Map.groupBy(victims, (key) => book.groupOfPod(nominee(key) ?? key));
    for (const [groupKey, own] of groups) {
      const group = groupKey === undefined ? undefined : book.group(groupKey);
      if (group === undefined) continue;
      const keys = group.placed.map(({ info }) => info.key);
      const gone = keys.filter((key) => leaving.has(key) || all.has(key)).length;
      const isPlace = own.some((key) => nominee(key) !== undefined);
      if (!isPlace && keys.length - gone >= group.minMember) continue;
      const places = group.waiting.map(({ key }) => nomination(key)).filter((key) => snapshot.placed(key));
      for (const key of isPlace ? places : keys) {
        if ((snapshot.placed(key)?.footprint.priority ?? Number.NEGATIVE_INFINITY) >= priority) return undefined;
        if (!leaving.has(key)) all.add(key);
      }
    }
    return [...all];
  };
}
