import type { MessageRecord } from './decode.ts';
import type { FieldError } from './errors.ts';
import { formatPath, type PathStep } from './field-path.ts';
import type { MessageSchema } from './schema.ts';
import { type Check, compileChecks, type Visit } from './validate-field.ts';

const checksBySchema = new Map<MessageSchema, Check>();

/**
 * Everything in a message that breaks a rule of the contract: required, allowed, format, key_format, min, max. Empty when
 * all is well. Rules that need more than one field are the kinds' own. `sound` is a message in it in which nothing is wrong,
 * as the caller knows: it is not looked at again.
 */
export function validateObject(schema: MessageSchema, message: object, sound?: object): FieldError[] {
  if (schema.own !== undefined) return schema.own.errors(message);
  const errors: FieldError[] = [];
  const path: PathStep[] = [];
  const visit: Visit = {
    path,
    sound,
    report: (text) => {
      if (errors.length < maxErrors) errors.push({ path: formatPath(path), message: text });
    },
  };
  compile(schema)(message as MessageRecord, visit);
  return errors;
}

/** Nobody reads more. */
const maxErrors = 1_000;

function compile(schema: MessageSchema): Check {
  const cached = checksBySchema.get(schema);
  if (cached !== undefined) return cached;
  const checks: Check[] = [];
  const check: Check = (message, visit) => {
    for (const one of checks) one(message, visit);
  };
  // Set before its fields are compiled, for messages that hold themselves.
  checksBySchema.set(schema, check);
  for (const field of schema.fields) checks.push(...compileChecks(field, compile));
  return check;
}
