import type { Json, JsonObject } from '../encode.ts';
import type { FieldError } from '../errors.ts';
import { formatPath, type PathStep } from '../field-path.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import { closest } from '../suggest.ts';
import { childOf, type StructuralNode } from './node.ts';

/**
 * The value as it is kept: without fields that the schema lacks, with the defaults of those that are absent, and with the
 * fields of each object in the order of their names, so that equal values have equal bytes. What is of another type than the
 * schema says stays as it is, for validation to name.
 */
export function completeValue(node: StructuralNode | 'any', value: Json): Json {
  if (Array.isArray(value)) {
    const items = node === 'any' || node.items === undefined ? 'any' : node.items;
    return value.map((item) => completeValue(items, item));
  }
  if (!isJsonObject(value)) return value;
  const fields = new Map<string, Json>();
  for (const [name, field] of Object.entries(value)) {
    const child = node === 'any' ? 'any' : childOf(node, name);
    if (child === undefined || isUnsetByNull(child, field)) continue;
    fields.set(name, completeValue(child, field));
  }
  if (node !== 'any') {
    for (const [name, child] of node.properties) {
      if (child.default !== undefined && !fields.has(name)) fields.set(name, completeValue(child, child.default));
    }
  }
  return Object.fromEntries([...fields].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where null can't stand but a default can, null means "not set". */
function isUnsetByNull(child: StructuralNode | 'any', value: Json): boolean {
  return value === null && child !== 'any' && !child.nullable && child.default !== undefined;
}

/** Fields of `value` that the schema lacks, each with its path. */
export function unknownFields(node: StructuralNode, value: JsonObject, at: readonly PathStep[] = []): FieldError[] {
  const errors: FieldError[] = [];
  const path = [...at];
  const visit = (node: StructuralNode | 'any', value: Json) => {
    if (node === 'any') return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) step(index, node.items ?? 'any', item);
      return;
    }
    if (!isJsonObject(value)) return;
    for (const [name, field] of Object.entries(value)) step(name, childOf(node, name), field, node);
  };
  const step = (name: PathStep, child: StructuralNode | 'any' | undefined, value: Json, parent?: StructuralNode) => {
    path.push(name);
    if (child !== undefined) visit(child, value);
    else errors.push({ path: formatPath(path), message: unknownField(String(name), parent), unknown: true });
    path.pop();
  };
  visit(node, value);
  return errors;
}

function unknownField(name: string, parent: StructuralNode | undefined): string {
  const known = [...(parent?.properties.keys() ?? [])];
  const guess = closest(name, known);
  if (guess !== undefined) return `unknown field; did you mean "${guess}"?`;
  return known.length === 0
    ? 'unknown field; the schema names none here'
    : `unknown field; there are ${known.join(', ')}`;
}
