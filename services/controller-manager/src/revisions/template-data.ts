import { withoutEmptyParts } from '@navarch/kinds';
import { decodeObject, encodeObject, type JsonObject, messageSchema } from '@navarch/machinery';
import { type ControllerRevision, PodTemplateSpec } from '@navarch/proto';
import { canonicalJson } from '../canonical.ts';

const schema = messageSchema(PodTemplateSpec.$type);

/** What a revision of `template` holds: the strategic merge patch that puts this template in the place of any other. */
export function dataOf(template: PodTemplateSpec | undefined): JsonObject {
  const manifest = template === undefined ? {} : encodeObject(schema, template);
  return { spec: { template: { ...manifest, $patch: 'replace' } } };
}

/** Equal for revisions of equal templates, and for no others. */
export function dataText(data: unknown): string {
  return canonicalJson(withoutEmptyParts(data));
}

/**
 * The template that `revision` keeps. Fields that this version doesn't know are left out: whoever wrote them knew more, and
 * Pods of an older template are better than none. Undefined when there is no template in it at all.
 */
export function templateOf({ data }: Pick<ControllerRevision, 'data'>): PodTemplateSpec | undefined {
  const template = field(field(data, 'spec'), 'template');
  if (template === undefined) return undefined;
  const { $patch: _, ...manifest } = template;
  return decodeObject<PodTemplateSpec>(schema, manifest).value;
}

function field(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const inner: unknown = (value as Record<string, unknown>)[name]; // JSON
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : undefined; // JSON
}
