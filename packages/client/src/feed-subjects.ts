import { anyToken, subject, subjectPattern } from '@navarch/bus';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';

/** Where FeedBookmarks travel. */
export const bookmarksSubject: string = subject('bookmarks');

/** Whether changes of the kind travel on the bus at all. */
export function travelsOnFeed(kind: KindDefinition): boolean {
  return kind.storage === 'store' && !kind.confidential;
}

/** The subject of an object's changes, by its state after the change: what a publisher sends a ChangeBatch on. */
export function changesSubject<T extends KubeObject>(kind: KindDefinition<T>, object: T): string {
  const tokens = kind.feedToken ? [kind.feedToken(object)] : [];
  return subject('changes', kind.resource, ...tokens);
}

/** What to subscribe to for a kind's changes: all of them, or those with one feed token. */
export function changesPattern(kind: KindDefinition, token?: string): string {
  if (!kind.feedToken) return subject('changes', kind.resource);
  return subjectPattern('changes', kind.resource, token ?? anyToken);
}
