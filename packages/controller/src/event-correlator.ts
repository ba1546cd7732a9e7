import type { Event } from '@navarch/proto';
import { BoundedMap } from './bounded-map.ts';

/**
 * How many Events a reporter makes of what happens. Numbers and rules are client-go's EventCorrelator's
 * (https://pkg.go.dev/k8s.io/client-go/tools/record):
 * - one object gets at most 25 from one reporter at once, and then one in five minutes;
 * - what differs only in its message counts as similar; from the tenth different message on, each within ten minutes of the one
 *   before, they become one Event whose message is the latest, marked as combined.
 */
const burst = 25;
const refillMs = 300_000;
const similar = 10;
const similarWithinMs = 600_000;
/** Of so many objects and groups it is remembered; the one that was quiet for longest is forgotten first. */
const remembered = 4096;

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

interface Group {
  readonly messages: Set<string>;
  readonly atMs: number;
}

/** What an occurrence becomes. */
export interface Correlated {
  /** A part of the Event that stands for all that are similar, instead of one of its own. */
  readonly combined: boolean;
  /** False when there were too many about the object: it is only counted. */
  readonly told: boolean;
}

export class EventCorrelator {
  readonly #buckets = new BoundedMap<string, Bucket>(remembered);
  readonly #groups = new BoundedMap<string, Group>(remembered);

  take(event: Event, nowMs: number): Correlated {
    const { involvedObject: about, source, type, reason, message } = event;
    const object = [about?.apiVersion, about?.kind, about?.namespace, about?.name, about?.uid];
    const key = JSON.stringify([...object, source?.component, source?.host]);
    const combined = this.#isOneOfMany(JSON.stringify([key, type, reason]), message, nowMs);
    return { combined, told: this.#mayTell(key, nowMs) };
  }

  #isOneOfMany(key: string, message: string, nowMs: number): boolean {
    const known = this.#groups.get(key);
    const messages = known !== undefined && nowMs - known.atMs <= similarWithinMs ? known.messages : new Set<string>();
    messages.add(message);
    this.#groups.set(key, { messages, atMs: nowMs });
    if (messages.size < similar) return false;
    // Which ones it is made of does not matter any more, only that they are many.
    const [any] = messages;
    if (any !== undefined) messages.delete(any);
    return true;
  }

  #mayTell(key: string, nowMs: number): boolean {
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    const refilled = Math.min(burst, tokens + Math.max(0, nowMs - atMs) / refillMs);
    const may = refilled >= 1;
    this.#buckets.set(key, { tokens: may ? refilled - 1 : refilled, atMs: nowMs });
    return may;
  }
}
