import { FieldValidation, RevisionMatch } from '@navarch/proto';
import { badRequest, StatusError } from '../http/status.ts';
import { isTrue } from '../routes/target.ts';

/** What queries say, checked. Source of names and rules: the Kubernetes API reference, common parameters. */

export function revisionOf(query: URLSearchParams): { revision: bigint | undefined; match: RevisionMatch } {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  return { revision: text === '' ? undefined : decimal('resourceVersion', text), match: revisionMatch(match) };
}

export function decimal(name: string, text: string): bigint {
  if (!/^\d{1,19}$/.test(text))
    throw badRequest(`${name} must be what the api gave, a decimal number, not "${shown(text)}"`);
  return BigInt(text);
}

function revisionMatch(text: string): RevisionMatch {
  switch (text) {
    case '':
      return RevisionMatch.UNSPECIFIED;
    case 'NotOlderThan':
      return RevisionMatch.NOT_OLDER_THAN;
    case 'Exact':
      return RevisionMatch.EXACT;
    default:
      throw badRequest(`resourceVersionMatch must be NotOlderThan or Exact, not "${shown(text)}"`);
  }
}

/** A whole number from 0; undefined when absent. */
export function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name} must be a whole number, 0 or more, not "${shown(text)}"`);
  return value;
}

export function flag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  if (text === null || text === '') return text === '';
  if (isTrue(text)) return true;
  if (['0', 'f', 'false', 'F', 'FALSE', 'False'].includes(text)) return false;
  throw badRequest(`${name} must be true or false, not "${shown(text)}"`);
}

export function dryRunOf(values: readonly string[]): boolean {
  const wrong = values.find((value) => value !== 'All' && value !== '');
  if (wrong !== undefined) throw badRequest(`dryRun must be All, not "${shown(wrong)}"`);
  return values.includes('All');
}

const validations: Readonly<Record<string, FieldValidation>> = {
  '': FieldValidation.WARN,
  Strict: FieldValidation.STRICT,
  Warn: FieldValidation.WARN,
  Ignore: FieldValidation.IGNORE,
};

/** What is said when nothing is said is Warn, as in Kubernetes. */
export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const text = query.get('fieldValidation') ?? '';
  const validation = validations[text];
  if (validation === undefined)
    throw badRequest(`fieldValidation must be Strict, Warn or Ignore, not "${shown(text)}"`);
  return validation;
}

/** What every write can say. */
export function writeFields(query: URLSearchParams) {
  const fieldManager = query.get('fieldManager') ?? '';
  if (fieldManager.length > 128 || /[^\x20-\x7e]/.test(fieldManager)) {
    throw new StatusError(422, 'Invalid', 'fieldManager must be at most 128 printable characters');
  }
  return {
    dryRun: dryRunOf(query.getAll('dryRun')),
    fieldManager,
    fieldValidation: fieldValidationOf(query),
    fence: undefined,
  };
}

/** Foreign text in an error, cut to what a person reads. */
export function shown(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
