import { type EventBus, type EventStream, type KeptMessage, subject, subjectPattern, anyTokens } from '@navarch/bus';
import type { KindDefinition } from '@navarch/kinds';
import type { ObjectKey } from '@navarch/machinery';
import { PastVersion } from '@navarch/proto';
import type { Change } from '../cache/cached-object.ts';
import { delimitedSize, writeHeader } from '../wire/responses.ts';

export interface HistoryLimits {
  /** So many versions of each object are kept beside the one that it has. */
  readonly versions: number;
  /** All of them together take no more. The oldest go first. */
  readonly maxBytes: number;
}

export const defaultVersionLimits: HistoryLimits = { versions: 10, maxBytes: 256 * 1024 * 1024 };

/** Field numbers of navarch/api/v1/feed.proto. */
const resourceField = 5;

/** Where versions outlive the store's compaction: a stream on the bus with a subject for each object. */
export function historyStream(bus: EventBus, { versions, maxBytes }: HistoryLimits): EventStream {
  const subjects = [subjectPattern('history', anyTokens)];
  return bus.stream({ name: 'navarch-history', subjects, maxBytes, maxPerSubject: versions });
}

/** Whether what was before the change is kept. */
export function isKept({ before, kind }: Change): boolean {
  return before !== undefined && keepsHistory(kind);
}

/** Secrets never leave the store, and Events are no history but told of one. */
export function keepsHistory(kind: KindDefinition): boolean {
  return kind.storage === 'store' && !kind.confidential;
}

/** The same for all versions of a kind. */
export function historySubject(kind: KindDefinition, { namespace, name }: ObjectKey): string {
  return subject('history', ...kind.place.split('/'), namespace, name);
}

/** An encoded PastVersion: what was before `change`. */
export function encodePastVersion(change: Change, clusterId: string, time: string): Buffer {
  const { revision, before, after } = change;
  const about = { clusterId, ended: revision, endedTime: time, deleted: after === undefined, resource: undefined };
  const head = PastVersion.encode(about).finish();
  const wire = before?.wire ?? new Uint8Array();
  const message = Buffer.allocUnsafe(head.length + delimitedSize(wire.length));
  message.set(head);
  message.set(wire, writeHeader(message, head.length, resourceField, wire.length));
  return message;
}

export function decodePastVersion({ payload }: KeptMessage): PastVersion {
  return PastVersion.decode(payload);
}
