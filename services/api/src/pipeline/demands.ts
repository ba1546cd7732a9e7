import { type Demand, pod as podKind, podDemand } from '@navarch/kinds';
import type { Pod } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { fieldBytes, fieldsText, textReader } from '../wire/fields.ts';
import { objectBytes } from '../wire/responses.ts';

const mostKept = 1_024;
const mostTextBytes = 8 * 1024;

const phaseOf = textReader(podKind.schema, 'status.phase');
const specSchema = podKind.schema.byJsonName.get('spec');
const demanding = new Set(
  ['containers', 'initContainers', 'overhead', 'hostNetwork'].map(
    (name) => specSchema?.message?.byJsonName.get(name)?.number,
  ),
);

/** By the bytes of all fields that say it: Pods of one template have the same demand, which is worked out once. */
const demands = new Map<string, Demand>();

/** What a Pod takes of the node that it is on, and which; undefined when it takes nothing of any. */
export function occupancyOf(cached: CachedObject): { readonly nodeName: string; readonly demand: Demand } | undefined {
  const nodeName = cached.feedToken;
  if (nodeName === '') return undefined;
  const phase = phaseOf(objectBytes(cached.body));
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  return { nodeName, demand: demandOf(cached) };
}

/** What a Pod takes of its node. One and the same object for Pods of one template, mostly. */
export function demandOf(cached: CachedObject): Demand {
  const spec = fieldBytes(objectBytes(cached.body), specSchema?.number ?? 0);
  const text = spec === undefined || spec.length > mostTextBytes ? undefined : fieldsText(spec, demanding);
  const known = text === undefined ? undefined : demands.get(text);
  if (known !== undefined) return known;
  const demand = podDemand(cached.object as Pod); // the cache decodes a kind's objects with its message
  if (text === undefined) return demand;
  demands.set(text, demand);
  const [oldest] = demands.size > mostKept ? demands.keys() : [];
  if (oldest !== undefined) demands.delete(oldest);
  return demand;
}
