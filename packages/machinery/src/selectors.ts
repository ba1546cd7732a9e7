import type { LabelSelector } from '@navarch/proto';
import { ApiError } from './errors.ts';
import { formatProblem } from './formats.ts';
import { SelectorReader } from './selector-reader.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether an object with these labels is chosen. */
export type LabelPredicate = (labels: Labels | undefined) => boolean;

const none: Labels = {};

/**
 * Parses `app=web,tier in (a, b),stage notin (test),env!=dev,canary,!legacy,build>5`: all must hold, and an empty text
 * chooses everything. As in Kubernetes, `!=` and `notin` also hold where the label is missing. Throws BadRequest, saying
 * where the text is wrong.
 */
export function parseLabelSelector(text: string): LabelPredicate {
  const reader = new SelectorReader(text, 'label selector');
  const tests: LabelPredicate[] = [];
  while (!reader.done()) {
    tests.push(readRequirement(reader));
    if (!reader.done()) reader.expect(',');
    if (reader.done() && text.trimEnd().endsWith(',')) reader.fail('another condition');
  }
  return all(tests);
}

/** The same for the selector of a manifest. None at all chooses nothing; an empty one everything. Throws BadRequest. */
export function labelSelectorPredicate(selector: LabelSelector | undefined): LabelPredicate {
  if (selector === undefined) return () => false;
  const tests = Object.entries(selector.matchLabels).map(([key, value]) => requirement(key, 'In', [value]));
  for (const { key, operator, values } of selector.matchExpressions) tests.push(requirement(key, operator, values));
  return all(tests);
}

/** The selector of a manifest as text that parseLabelSelector reads. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const parts = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`);
  }
  return parts.join(',');
}

function readRequirement(reader: SelectorReader): LabelPredicate {
  if (reader.take('!')) return requirement(readKey(reader), 'DoesNotExist', []);
  const key = readKey(reader);
  const operator = reader.operator();
  switch (operator) {
    case undefined:
      return requirement(key, 'Exists', []);
    case '=':
    case '==':
      return requirement(key, 'In', [readValue(reader)]);
    case '!=':
      return requirement(key, 'NotIn', [readValue(reader)]);
    case 'in':
    case 'notin':
      return requirement(key, operator === 'in' ? 'In' : 'NotIn', readValues(reader));
    default: {
      const bound = readValue(reader);
      if (!/^-?\d+$/.test(bound)) reader.fail('a whole number');
      return comparison(key, operator, BigInt(bound));
    }
  }
}

function readKey(reader: SelectorReader): string {
  const key = reader.word('a label');
  const problem = formatProblem('QUALIFIED_NAME', key);
  if (problem !== undefined) reader.fail(`a label: ${problem}`);
  return key;
}

function readValue(reader: SelectorReader): string {
  const value = reader.word();
  const problem = formatProblem('LABEL_VALUE', value);
  if (problem !== undefined) reader.fail(`a label value: ${problem}`);
  return value;
}

function readValues(reader: SelectorReader): string[] {
  reader.expect('(');
  const values = [readValue(reader)];
  while (reader.take(',')) values.push(readValue(reader));
  reader.expect(')');
  return values;
}

function requirement(key: string, operator: string, values: readonly string[]): LabelPredicate {
  const set = new Set(values);
  const has = (labels: Labels) => Object.hasOwn(labels, key);
  switch (operator) {
    case 'In':
      return (labels = none) => has(labels) && set.has(labels[key] ?? '');
    case 'NotIn':
      return (labels = none) => !has(labels) || !set.has(labels[key] ?? '');
    case 'Exists':
      return (labels = none) => has(labels);
    case 'DoesNotExist':
      return (labels = none) => !has(labels);
    default:
      throw new ApiError('BadRequest', `"${operator}" is no operator of a label selector`);
  }
}

function comparison(key: string, operator: '>' | '<', bound: bigint): LabelPredicate {
  return (labels = none) => {
    const text = labels[key] ?? '';
    if (!/^-?\d+$/.test(text)) return false;
    return operator === '>' ? BigInt(text) > bound : BigInt(text) < bound;
  };
}

function all(tests: readonly LabelPredicate[]): LabelPredicate {
  const [only, ...more] = tests;
  if (only === undefined) return () => true;
  if (more.length === 0) return only;
  return (labels) => tests.every((test) => test(labels));
}
