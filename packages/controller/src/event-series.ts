import { createHash } from 'node:crypto';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { Event } from '@navarch/proto';

/** What happened, seen `times` times since it was last sent; `event` as of the last time. */
export interface Occurrence {
  readonly event: Event;
  readonly times: number;
}

export interface EventAbout {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly host: string;
}

/** The api's limit for an Event's message is Kubernetes' own. */
const maxMessageLength = 1024;
/** A DNS subdomain's limit, less the dot and the hash. */
const maxObjectNameLength = 253 - 17;
/** Kubernetes' own words. */
const combinedMark = '(combined from similar events)';

/**
 * The Event for one occurrence. Its name follows from what happened to which object, so that the same thing happening again,
 * also to a reporter that was started anew, finds the Event that is there. Events about objects without a namespace live
 * in `default`, as in Kubernetes.
 */
export function describeEvent(kind: KindDefinition, object: KubeObject, about: EventAbout, now: number): Event {
  const { name = '', namespace = '', uid = '' } = object.metadata ?? {};
  const { type, reason, component, host } = about;
  const message = fitting(about.message);
  const time = new Date(now).toISOString();
  return Event.fromPartial({
    metadata: {
      name: eventName(name, [kind.resource, namespace, name, uid, type, reason, message, component, host]),
      namespace: namespace || 'default',
    },
    involvedObject: { apiVersion: kind.apiVersion, kind: kind.kind, namespace, name, uid },
    reason,
    message,
    source: { component, host },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    type,
  });
}

/** One of many that differ only in their message, as the Event that stands for all of them. It has the latest message. */
export function combinedEvent(event: Event): Event {
  const { involvedObject: about, source, type, reason } = event;
  const { name = '', namespace = '' } = event.metadata ?? {};
  const group = [about?.apiVersion, about?.kind, namespace, about?.name, about?.uid, type, reason, source?.component];
  return Event.fromPartial({
    ...event,
    metadata: { ...event.metadata, name: eventName(about?.name ?? name, [...group, source?.host, combinedMark]) },
    message: fitting(`${combinedMark}: ${event.message}`),
  });
}

function fitting(message: string): string {
  return message.length > maxMessageLength ? `${message.slice(0, maxMessageLength - 1)}…` : message;
}

function eventName(objectName: string, identity: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  return `${objectName.slice(0, maxObjectNameLength)}.${hash}`;
}

/** `occurrence` as an Event that counts on from `known`. */
export function occurredAgain(known: Event | undefined, { event, times }: Occurrence): Event {
  if (!known) return { ...event, count: times };
  return { ...event, firstTimestamp: known.firstTimestamp, count: Math.max(known.count, 1) + times };
}
