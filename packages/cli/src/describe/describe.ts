import { event, type KindDefinition, type ResourceCase } from '@navarch/kinds';
import { age, escapeFieldValue, isApiError, type KubeObject, type Live } from '@navarch/machinery';
import type { Event } from '@navarch/proto';
import { byTime } from '../event-order.ts';
import type { Session } from '../session.ts';
import { describeAutoscaler } from './autoscaler.ts';
import { describeDaemonSet } from './daemon-set.ts';
import { describeCronJob } from './cron-job.ts';
import { describeDeployment } from './deployment.ts';
import { genericEntries, metadataEntries } from './generic.ts';
import { describeJob } from './job.ts';
import { describeNode } from './node.ts';
import { type Entry, outlineText } from './outline.ts';
import { describePod } from './pod.ts';
import { describeLimitRange, describeNamespace, describePriorityClass, describeResourceQuota } from './quota.ts';
import { describeService } from './service.ts';
import { describeConfigMap, describeSecret } from './settings.ts';
import { describeStatefulSet } from './stateful-set.ts';

/** Gives all of a page but what happened. */
type Describer = {
  describe(object: KubeObject, session: Session): readonly Entry[] | Promise<readonly Entry[]>;
}['describe'];

/** Pages that people know in another form than the contract's. All other kinds get a page from their schema. */
const describers = {
  pod: describePod,
  deployment: describeDeployment,
  statefulSet: describeStatefulSet,
  daemonSet: describeDaemonSet,
  job: describeJob,
  cronJob: describeCronJob,
  service: describeService,
  node: describeNode,
  configMap: describeConfigMap,
  secret: describeSecret,
  namespace: describeNamespace,
  resourceQuota: describeResourceQuota,
  limitRange: describeLimitRange,
  priorityClass: describePriorityClass,
  horizontalPodAutoscaler: describeAutoscaler,
} as Partial<Record<ResourceCase, Describer>>; // each gets objects of its own kind only

/** All about one object, as text. */
export async function describeObject(session: Session, kind: KindDefinition, object: KubeObject): Promise<string> {
  const entries = (await describers[kind.case]?.(object, session)) ?? [
    ...metadataEntries(kind, object),
    ...genericEntries(kind, object),
  ];
  return outlineText([...entries, await eventsEntry(session, kind, object)]);
}

async function eventsEntry(session: Session, kind: KindDefinition, { metadata }: KubeObject): Promise<Entry> {
  const { namespace = '', name = '', uid = '' } = metadata ?? {};
  const fields = { kind: kind.kind, name, ...(uid === '' ? {} : { uid }) };
  const fieldSelector = Object.entries(fields)
    .map(([field, value]) => `involvedObject.${field}=${escapeFieldValue(value)}`)
    .join(',');
  try {
    const { items } = await session.client().list(event, { namespace: namespace || 'default', fieldSelector });
    return { label: 'Events', table: eventRows(items, session.io.now()) };
  } catch (error) {
    // Events live apart from everything else; the page is useful without them.
    if (!isApiError(error)) throw error;
    return { label: 'Events', value: `<unknown>: ${error.message}` };
  }
}

function eventRows(items: readonly Live<Event>[], now: number): (string | number)[][] {
  const rows = byTime(items).map(({ type, reason, firstTimestamp, lastTimestamp, count, source, message }) => {
    const last = age(lastTimestamp || firstTimestamp, now);
    const when = count > 1 ? `${last} (x${count} over ${age(firstTimestamp, now)})` : last;
    return [type, reason, when, source?.component ?? '', message];
  });
  return [['Type', 'Reason', 'Age', 'From', 'Message'], ...rows];
}
