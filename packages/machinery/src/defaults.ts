import type { MessageRecord } from './decode.ts';
import type { FieldSchema, MessageSchema } from './schema.ts';

type Fill = (message: MessageRecord) => void;

const fills = new Map<MessageSchema, Fill | undefined>();

/**
 * Gives absent fields the default that the contract names, also in nested messages, as far as these are there. Changes
 * `message`, which must be a generated message of `schema`.
 */
export function applyDefaults(schema: MessageSchema, message: object): void {
  if (schema.own !== undefined) schema.own.complete(message);
  else compile(schema)?.(message as MessageRecord);
}

/** What fills a message of `schema`; undefined when nothing below it has a default. */
function compile(schema: MessageSchema): Fill | undefined {
  if (fills.has(schema)) return fills.get(schema);
  const steps: Fill[] = [];
  // A message that holds itself finds this while its fields are compiled.
  fills.set(schema, (message) => {
    for (const step of steps) step(message);
  });
  for (const field of schema.fields) {
    const step = compileField(field);
    if (step !== undefined) steps.push(step);
  }
  if (steps.length === 0) fills.set(schema, undefined);
  return fills.get(schema);
}

function compileField(field: FieldSchema): Fill | undefined {
  const { property, cardinality } = field;
  const value = field.rules.default;
  if (value !== undefined) {
    return (message) => {
      if (message[property] === undefined) message[property] = value;
    };
  }
  const fill = field.message === undefined ? undefined : compile(field.message);
  if (fill === undefined) return undefined;
  // The casts hold for generated messages: lists are arrays, maps are records.
  if (cardinality === 'one') {
    return (message) => {
      if (message[property] !== undefined) fill(message[property] as MessageRecord);
    };
  }
  return (message) => {
    for (const item of Object.values(message[property] as object)) fill(item as MessageRecord);
  };
}
