import type { Json } from '../encode.ts';
import type { FieldError } from '../errors.ts';
import type { PathStep } from '../field-path.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import { completeValue, unknownFields } from './complete.ts';
import { readNode } from './node.ts';
import { valueChecks } from './value-check.ts';

/** Every default in a structural schema, and what its own schema finds wrong with it; paths begin at the default. */
export function schemaDefaults(
  schema: Json,
): readonly { readonly path: readonly PathStep[]; readonly errors: readonly FieldError[] }[] {
  const checkOf = valueChecks();
  const found: { path: PathStep[]; errors: FieldError[] }[] = [];
  const visit = (schema: Json | undefined, path: PathStep[]): void => {
    if (!isJsonObject(schema)) return;
    const { default: preset, properties, items, additionalProperties } = schema;
    if (preset !== undefined) {
      const node = readNode(schema);
      const unknown = isJsonObject(preset) ? unknownFields(node, preset) : [];
      const errors = [...unknown, ...checkOf(schema)(completeValue(node, preset))];
      if (errors.length > 0) found.push({ path, errors });
    }
    if (isJsonObject(properties)) {
      for (const [name, each] of Object.entries(properties)) visit(each, [...path, 'properties', name]);
    }
    visit(items, [...path, 'items']);
    visit(additionalProperties, [...path, 'additionalProperties']);
  };
  visit(schema, []);
  return found;
}
