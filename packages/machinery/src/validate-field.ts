import type { MessageRecord } from './decode.ts';
import type { PathStep } from './field-path.ts';
import { formatProblem } from './formats.ts';
import type { FieldSchema, MessageSchema } from './schema.ts';

/** Where validation is, and where it says what is wrong there. The path is changed on the way. */
export interface Visit {
  readonly path: PathStep[];
  /** A message that is known to be right. */
  readonly sound: object | undefined;
  report(message: string): void;
}

export type Check = (message: MessageRecord, visit: Visit) => void;
type ValueCheck = (value: unknown, visit: Visit) => void;

/** The checks of one field. `compileMessage` gives those of the messages that it holds. */
export function compileChecks(field: FieldSchema, compileMessage: (schema: MessageSchema) => Check): readonly Check[] {
  const { property, jsonName, cardinality, rules } = field;
  const checkSize = cardinality === 'one' ? undefined : sizeCheck(field);
  const checkValue = valueCheck(field, compileMessage);
  const { keyFormat } = rules;
  if (checkSize === undefined && checkValue === undefined && keyFormat === undefined && !rules.required) return [];

  // The casts below hold for generated messages: a list is an array, a map a record.
  const check: Check = (message, visit) => {
    const value = message[property];
    if (isUnset(field, value)) {
      if (rules.required) at(visit, jsonName, () => visit.report('must be set'));
      return;
    }
    visit.path.push(jsonName);
    checkSize?.(value, visit);
    if (cardinality === 'one') {
      checkValue?.(value, visit);
    } else if (cardinality === 'list') {
      const items = value as readonly unknown[];
      if (checkValue !== undefined) for (let i = 0; i < items.length; i++) each(visit, i, checkValue, items[i]);
    } else {
      const items = value as MessageRecord;
      for (const key in items) {
        if (keyFormat !== undefined) {
          const problem = formatProblem(keyFormat, key);
          if (problem !== undefined) at(visit, key, () => visit.report(`the name ${problem}`));
        }
        if (checkValue !== undefined) each(visit, key, checkValue, items[key]);
      }
    }
    visit.path.pop();
  };
  return [check];
}

function valueCheck(field: FieldSchema, compileMessage: (schema: MessageSchema) => Check): ValueCheck | undefined {
  const { message } = field;
  if (message !== undefined) {
    const check = compileMessage(message);
    return (value, visit) => {
      if (value !== visit.sound) check(value as MessageRecord, visit);
    };
  }
  const checks: ValueCheck[] = [];
  const { allowed, format, min, max } = field.rules;
  if (allowed.length > 0) {
    const names = allowed.filter((name) => name !== '').join(', ');
    const set = new Set<unknown>(allowed);
    checks.push((value, visit) => {
      if (!set.has(value)) visit.report(`${JSON.stringify(value)} must be one of ${names}`);
    });
  }
  if (format !== undefined) {
    checks.push((value, visit) => {
      const problem = formatProblem(format, value as string | number); // only texts and int-or-string have formats
      if (problem !== undefined) visit.report(problem);
    });
  }
  if (field.cardinality === 'one' && (min !== undefined || max !== undefined)) {
    checks.push((value, visit) => {
      const problem = rangeProblem(Number(value), min, max);
      if (problem !== undefined) visit.report(`${String(value)} must be ${problem}`);
    });
  }
  if (checks.length === 0) return undefined;
  return (value, visit) => {
    for (const check of checks) check(value, visit);
  };
}

/** min and max of a list or map count its items. */
function sizeCheck({ rules: { min, max } }: FieldSchema): ValueCheck | undefined {
  if (min === undefined && max === undefined) return undefined;
  return (value, visit) => {
    const size = Array.isArray(value) ? value.length : Object.keys(value as object).length;
    const problem = rangeProblem(size, min, max);
    if (problem !== undefined) visit.report(`has ${size} items; their number must be ${problem}`);
  };
}

function rangeProblem(value: number, min: number | undefined, max: number | undefined): string | undefined {
  if (min !== undefined && value < min) return max === undefined ? `at least ${min}` : `from ${min} to ${max}`;
  if (max !== undefined && value > max) return min === undefined ? `at most ${max}` : `from ${min} to ${max}`;
  return undefined;
}

/** Whether the field says nothing. A zero says something only where absent differs from it. */
function isUnset({ cardinality, presence }: FieldSchema, value: unknown): boolean {
  if (value === undefined) return true;
  if (cardinality === 'list') return (value as readonly unknown[]).length === 0;
  if (cardinality === 'map') {
    for (const _ in value as MessageRecord) return false;
    return true;
  }
  return !presence && (value === '' || value === 0 || value === false || value === 0n);
}

function each(visit: Visit, step: PathStep, check: ValueCheck, value: unknown): void {
  visit.path.push(step);
  check(value, visit);
  visit.path.pop();
}

function at(visit: Visit, step: PathStep, run: () => void): void {
  visit.path.push(step);
  run();
  visit.path.pop();
}
