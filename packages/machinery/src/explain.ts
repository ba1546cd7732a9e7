import type { FieldSchema, MessageSchema } from './schema.ts';
import { noRules } from './schema-rules.ts';

/** What `explain` tells of a kind or of one of its fields. */
export interface Explained {
  readonly kind: string;
  readonly apiVersion: string;
  readonly schema: MessageSchema;
}

/**
 * The documentation of a kind, or of the field at `path` below it, from the contract's comments, in the form of
 * `kubectl explain`. Returns undefined when there is no such field, with the longest part of the path that there is.
 */
export function explain(
  { kind, apiVersion, schema }: Explained,
  path: readonly string[],
  recursive = false,
): { text: string } | { text: undefined; known: readonly string[]; fields: readonly string[] } {
  let message: MessageSchema | undefined = schema;
  let field: FieldSchema | undefined;
  for (const [index, name] of path.entries()) {
    const next: FieldSchema | undefined = message?.byJsonName.get(name) ?? (index === 0 ? typeField(name) : undefined);
    if (next === undefined) {
      return { text: undefined, known: path.slice(0, index), fields: [...(message?.byJsonName.keys() ?? [])] };
    }
    field = next;
    message = next.message;
  }
  const slash = apiVersion.indexOf('/');
  const lines = slash < 0 ? [] : [`GROUP:      ${apiVersion.slice(0, slash)}`];
  lines.push(`KIND:       ${kind}`, `VERSION:    ${apiVersion.slice(slash + 1)}`, '');
  if (field !== undefined) lines.push(`FIELD: ${field.jsonName} <${typeText(field)}>`, '');
  lines.push('DESCRIPTION:', ...wrap(describe(field, message), 4), '');
  if (field !== undefined) lines.push(...ruleLines(field));
  const fields = message === undefined ? [] : field === undefined ? [...typeFields, ...message.fields] : message.fields;
  if (fields.length > 0) lines.push('FIELDS:', ...(recursive ? tree(fields, 2, []) : fields.flatMap(fieldLines)));
  return { text: `${lines.join('\n').trimEnd()}\n` };
}

/** Manifests have two fields that the messages lack, since they say which message it is. */
const typeFields: readonly FieldSchema[] = [
  { ...plainText('apiVersion'), comment: 'Group and version of the kind.' },
  { ...plainText('kind'), comment: 'The kind.' },
];
const typeField = (name: string) => typeFields.find(({ jsonName }) => jsonName === name);

function plainText(jsonName: string) {
  return {
    jsonName,
    property: jsonName,
    cardinality: 'one',
    type: 'string',
    message: undefined,
    presence: false,
    rules: { ...noRules, required: true },
  } as const;
}

function fieldLines(field: FieldSchema): string[] {
  return [`  ${fieldTitle(field)}`, ...wrap(describe(field, field.message), 4), ''];
}

/** All fields below, indented; a message that holds itself is not opened again. */
function tree(fields: readonly FieldSchema[], indent: number, open: readonly MessageSchema[]): string[] {
  return fields.flatMap((field) => {
    const line = `${' '.repeat(indent)}${fieldTitle(field)}`;
    const { message } = field;
    if (message === undefined || open.includes(message)) return [line];
    return [line, ...tree(message.fields, indent + 2, [...open, message])];
  });
}

function fieldTitle(field: FieldSchema): string {
  return `${field.jsonName}\t<${typeText(field)}>${field.rules.required ? ' -required-' : ''}`;
}

function typeText({ type, message, cardinality, rules }: FieldSchema): string {
  const names = {
    string: 'string',
    bool: 'boolean',
    int32: 'integer',
    int64: 'integer',
    double: 'number',
    bytes: 'base64',
  };
  const one =
    message?.name ??
    (type === 'value' ? (rules.format === undefined ? 'any' : 'IntOrString') : names[type as keyof typeof names]); // a scalar
  const name = rules.format === 'QUANTITY' ? 'Quantity' : one;
  return cardinality === 'list' ? `[]${name}` : cardinality === 'map' ? `map[string]${name}` : name;
}

function ruleLines({ rules }: FieldSchema): string[] {
  const allowed = rules.allowed.filter((name) => name !== '');
  const facts = [
    allowed.length > 0 ? `One of: ${allowed.join(', ')}` : '',
    rules.default === undefined ? '' : `Default: ${String(rules.default)}`,
    rules.min === undefined ? '' : `Least: ${rules.min}`,
    rules.max === undefined ? '' : `Most: ${rules.max}`,
    rules.required ? 'Must be set.' : '',
    rules.immutable ? 'Can not be changed.' : '',
    rules.outputOnly ? 'Set by the control plane.' : '',
    rules.mergeKey === undefined ? '' : `Items are told apart by: ${rules.mergeKey}`,
  ].filter((fact) => fact !== '');
  return facts.length === 0 ? [] : [...facts.map((fact) => `    ${fact}`), ''];
}

function describe(field: FieldSchema | undefined, message: MessageSchema | undefined): string {
  const texts = new Set([field?.comment ?? '', message?.comment ?? '']);
  return [...texts].filter((text) => text !== '').join(' ') || '<no description>';
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > 76) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
}
