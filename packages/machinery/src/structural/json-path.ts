import type { Json } from '../encode.ts';
import { isJsonObject } from '../patch/merge-patch.ts';

/** Every value that the path leads to, in order. */
export type JsonPath = (root: Json) => readonly Json[];

type Step = (value: Json) => readonly Json[];

/**
 * Reads a path as columns have it: `.spec.size`, `.metadata.labels.app\.kubernetes\.io/name`, `.spec.items[0]`,
 * `.spec.items[*].name`, `.status.conditions[?(@.type=="Ready")].status`. Undefined for a text that is none.
 * Source: https://kubernetes.io/docs/reference/kubectl/jsonpath
 */
export function jsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  let rest = text.startsWith('$') ? text.slice(1) : text;
  if (!/^[.[]/.test(rest)) return undefined;
  while (rest !== '' && rest !== '.') {
    const part = nextPart(rest);
    if (part === undefined) return undefined;
    steps.push(part.step);
    rest = rest.slice(part.length);
  }
  return (root) => steps.reduce<readonly Json[]>((values, step) => values.flatMap((value) => [...step(value)]), [root]);
}

function nextPart(text: string): { step: Step; length: number } | undefined {
  const name = /^\.((?:\\.|[^.[\]\\])+)/.exec(text);
  if (name !== null) {
    const field = (name[1] ?? '').replaceAll(/\\(.)/g, '$1');
    return { step: field === '*' ? everything : fieldStep(field), length: name[0].length };
  }
  const bracket = /^\.?\[(?:(\d+)|(\*)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\?\((.*?)\))\]/.exec(text);
  if (bracket === null) return undefined;
  const [whole, index, star, single, double, filter] = bracket;
  const length = whole.length;
  if (index !== undefined)
    return { step: (value) => (Array.isArray(value) ? value.slice(Number(index), Number(index) + 1) : []), length };
  if (star !== undefined) return { step: everything, length };
  if (filter === undefined) return { step: fieldStep((single ?? double ?? '').replaceAll(/\\(.)/g, '$1')), length };
  const keeps = filterOf(filter);
  return keeps && { step: (value) => (Array.isArray(value) ? value.filter(keeps) : []), length };
}

function fieldStep(name: string): Step {
  return (value) => {
    const field = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    return field === undefined ? [] : [field];
  };
}

function everything(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}

const comparisons: Readonly<Record<string, (a: Json | undefined, b: Json) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => Number(a) < Number(b),
  '<=': (a, b) => Number(a) <= Number(b),
  '>': (a, b) => Number(a) > Number(b),
  '>=': (a, b) => Number(a) >= Number(b),
};

/** `@.type=="Ready"`, or `@.type` for those that have it. */
function filterOf(text: string): ((item: Json) => boolean) | undefined {
  const match = /^\s*@(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*$/.exec(text);
  const path = match?.[1] === undefined ? undefined : jsonPath(match[1]);
  if (path === undefined) return undefined;
  const [, , operator, operand] = match ?? [];
  if (operator === undefined || operand === undefined) return (item) => path(item).length > 0;
  const compare = comparisons[operator];
  const literal = literalOf(operand);
  if (compare === undefined || literal === undefined) return undefined;
  return (item) => compare(path(item)[0], literal);
}

function literalOf(text: string): Json | undefined {
  const quoted = /^'(.*)'$|^"(.*)"$/.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? '';
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
}
