import { type MessageSchema, readYaml } from '@navarch/machinery';
import type { HttpRequest } from './exchange.ts';
import { bodySeen } from './kept-bodies.ts';
import { badRequest, StatusError, unsupportedMediaType } from './status.ts';

/** As much as an apiserver takes. */
export const maxBodyBytes = 3 * 1024 * 1024;

/** The whole body. Throws 413 for one that is too large, and then no longer reads on. */
export async function readBody(request: HttpRequest): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new StatusError(415, 'UnsupportedMediaType', `a body can't be sent in the content encoding ${encoding}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  bodySeen(request, body);
  return body;
}

function tooLarge(): StatusError {
  return new StatusError(
    413,
    'RequestEntityTooLarge',
    `the request is too large: at most ${maxBodyBytes} bytes are read`,
  );
}

/** A body as JSON, whatever it was sent as. */
export interface BodyText {
  /** JSON, valid. */
  readonly json: unknown;
  /** The JSON text; undefined for YAML. */
  readonly text: string | undefined;
  /** Keys that stand twice in YAML, of which only the last counts. */
  readonly hasDuplicates: boolean;
}

/** The media type without parameters, in lower case; '' when there is none. */
export function mediaTypeOf(request: HttpRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

const jsonTypes = new Set(['', 'application/json']);
export const protobufType = 'application/vnd.kubernetes.protobuf';
const yamlTypes = new Set(['application/yaml', 'text/yaml', 'application/x-yaml']);

/** What the body of a request should hold. */
export interface Expected {
  readonly apiVersion: string;
  readonly kind: string;
  /** What is known of its fields, where that is more than their names. */
  readonly schema?: MessageSchema;
}

/**
 * The object in the body of a request: JSON, YAML, or what Kubernetes' own clients send where they know the kind. Throws 415 for
 * other media types, 400 for what can't be read.
 */
export async function readObjectBody(request: HttpRequest, expected: Expected): Promise<BodyText> {
  const body = await readOptionalBody(request, expected);
  if (body === undefined) throw badRequest('the body of the request must hold an object, and is empty');
  return body;
}

/** The same, undefined for an empty body. */
export async function readOptionalBody(request: HttpRequest, expected: Expected): Promise<BodyText | undefined> {
  const type = mediaTypeOf(request);
  const bytes = await readBody(request);
  if (bytes.length === 0) return undefined;
  if (type === protobufType) {
    // Loaded when the first such request comes: many gateways never see one.
    const { readKubernetes } = await import('../protobuf/read-kubernetes.ts');
    return { json: readKubernetes(bytes, expected.schema, expected), text: undefined, hasDuplicates: false };
  }
  if (!jsonTypes.has(type) && !yamlTypes.has(type)) throw unsupportedMediaType('application/json, application/yaml');
  const text = textOf(bytes);
  if (text.trim() === '') return undefined;
  return yamlTypes.has(type) ? parseYaml(text) : { json: parseJson(text), text, hasDuplicates: false };
}

export function textOf(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw badRequest('the body of the request is not UTF-8');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The parser's own words are left out: they quote the text, which may be a secret's. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('the body of the request is not valid JSON');
  }
}

export function parseYaml(text: string): BodyText {
  const { documents, errors } = readYaml(text);
  const wrong = errors.find(({ duplicate }) => duplicate !== true);
  if (wrong !== undefined) {
    const { line, column } = wrong.position;
    throw badRequest(`the body of the request is not valid YAML: line ${line}, column ${column}`);
  }
  const [document, ...more] = documents;
  if (document === undefined || more.length > 0)
    throw badRequest('the body of the request must hold one YAML document');
  return { json: document.json, text: undefined, hasDuplicates: document.hasDuplicates };
}
