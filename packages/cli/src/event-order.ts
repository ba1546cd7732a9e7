import type { Live } from '@navarch/machinery';
import type { Event } from '@navarch/proto';

/** Oldest first. */
export function byTime(items: readonly Live<Event>[]): readonly Live<Event>[] {
  const time = ({ lastTimestamp, firstTimestamp, metadata }: Live<Event>) =>
    Date.parse(lastTimestamp || firstTimestamp || metadata.creationTimestamp);
  return items.toSorted((a, b) => time(a) - time(b));
}
