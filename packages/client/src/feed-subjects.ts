import { anyToken, subject, subjectPattern } from '@navarch/bus';
import { collectionOf, type KindDefinition } from '@navarch/kinds';

/** Stands for a field that holds nothing. */
const noToken = '_';

/** Where FeedBookmarks travel. */
export const bookmarksSubject: string = subject('bookmarks');

/** Whether changes of the kind travel on the change feed at all. */
export function travelsOnFeed(kind: KindDefinition): boolean {
  return kind.storage === 'store' && kind.onFeed && !kind.confidential;
}

/**
 * The subject of an object's changes: what a publisher sends a ChangeBatch on. `token` is what the kind's feed field holds
 * after the change; kinds without one have none.
 */
export function changesSubject(kind: KindDefinition, token: string): string {
  return kind.feedField === undefined
    ? subject('changes', collectionOf(kind))
    : subject('changes', collectionOf(kind), token || noToken);
}

/** What to subscribe to for a kind's changes: all of them, or those with one feed token. */
export function changesPattern(kind: KindDefinition, token?: string): string {
  if (kind.feedField === undefined) return subject('changes', collectionOf(kind));
  return subjectPattern('changes', collectionOf(kind), token ?? anyToken);
}
