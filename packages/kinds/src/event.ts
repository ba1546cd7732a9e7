import { age } from '@navarch/machinery';
import { Event } from '@navarch/proto';
import { defineKind } from './define-kind.ts';

export const event = defineKind('event', Event, {
  group: '',
  plural: 'events',
  shortNames: ['ev'],
  storage: 'events',
  ownColumns: true,
  columns: [
    { title: 'LAST SEEN', value: lastSeen },
    { title: 'TYPE', value: ({ type }) => type },
    { title: 'REASON', value: ({ reason }) => reason },
    { title: 'OBJECT', value: ({ involvedObject: o }) => `${(o?.kind ?? '').toLowerCase()}/${o?.name ?? ''}` },
    { title: 'SUBOBJECT', wide: true, value: ({ involvedObject }) => involvedObject?.fieldPath ?? '' },
    { title: 'SOURCE', wide: true, value: ({ source: s }) => [s?.component, s?.host].filter(Boolean).join(', ') },
    { title: 'MESSAGE', value: ({ message }) => message.trim() },
    { title: 'FIRST SEEN', wide: true, value: (event, now) => age(happened(event).first, now) },
    { title: 'COUNT', type: 'integer', wide: true, value: ({ count }) => count || 1 },
    { title: 'NAME', wide: true, value: ({ metadata }) => metadata?.name ?? '' },
  ],
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason,
    type: ({ type }) => type,
    source: ({ source }) => source?.component ?? '',
    reportingComponent: ({ source }) => source?.component ?? '',
  },
  happened,
  validate: ({ metadata, involvedObject }) => {
    const { namespace = '', name = '' } = involvedObject ?? {};
    if (name === '') return [{ path: 'involvedObject.name', message: 'must be set' }];
    // Events of objects that live in no namespace are kept in the namespace default.
    const expected = namespace || 'default';
    // A manifest may leave its namespace to whoever sends it.
    if (metadata?.namespace === expected || metadata?.namespace === '') return [];
    return [{ path: 'involvedObject.namespace', message: `must be the event's own (${metadata?.namespace})` }];
  },
  example: 'kinds/event.yaml',
});

function happened({ lastTimestamp, firstTimestamp, metadata }: Event) {
  const made = metadata?.creationTimestamp ?? '';
  return { first: firstTimestamp || lastTimestamp || made, last: lastTimestamp || firstTimestamp || made };
}

function lastSeen(event: Event, now: number): string {
  return age(happened(event).last, now);
}
