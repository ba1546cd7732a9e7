import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Exchange } from './exchange.ts';
import { bodySeen } from './kept-bodies.ts';
import { type Status, type StatusDetails, statusOf } from './status.ts';

const compress = promisify(gzip);
/** Smaller answers are sent as they are: compressing them costs more than it saves. An apiserver draws the line there, too. */
export const compressFromBytes = 128 * 1024;
export const gzipOptions = { level: constants.Z_BEST_SPEED } as const;

export const gzipHeaders: Readonly<Record<string, string>> = { 'content-encoding': 'gzip', vary: 'Accept-Encoding' };

/** What every answer has, unless `headers` says otherwise, with what is to be said besides. */
export function answerHeaders(
  warnings: ReadonlySet<string>,
  headers: Readonly<Record<string, string>>,
): Record<string, string | string[]> {
  return {
    'cache-control': 'no-cache, private',
    'content-type': 'application/json',
    ...headers,
    ...(warnings.size > 0 && { warning: warningHeaders(warnings) }),
  };
}

/** Answers with a whole body at once. */
export async function send(
  { request, response, warnings }: Exchange,
  code: number,
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  let bytes = typeof body === 'string' ? Buffer.from(body) : body;
  bodySeen(response, bytes);
  const gzip = bytes.length >= compressFromBytes && acceptsGzip(request.headers);
  if (gzip) bytes = await compress(bytes, gzipOptions);
  const all = { ...headers, ...(gzip && gzipHeaders), 'content-length': String(bytes.length) };
  response.writeHead(code, answerHeaders(warnings, all));
  if (request.method === 'HEAD') response.end();
  else response.end(bytes);
}

/** Answers with a value, indented where the client asks for that. */
export function sendJson(exchange: Exchange, code: number, value: unknown, headers: Record<string, string> = {}) {
  return send(exchange, code, `${JSON.stringify(value, undefined, isPretty(exchange) ? 2 : undefined)}\n`, headers);
}

export async function sendStatus(exchange: Exchange, status: Status): Promise<void> {
  const { retryAfterSeconds } = status.details ?? {};
  await sendJson(exchange, status.code, status, {
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    ...(status.code === 401 && { 'www-authenticate': 'Bearer realm="navarch"' }),
  });
}

export function sendError(exchange: Exchange, error: unknown, about: StatusDetails = {}): Promise<void> {
  return sendStatus(exchange, statusOf(error, about));
}

export function isPretty({ query }: Exchange): boolean {
  const text = query.get('pretty');
  return text !== null && text !== 'false' && text !== '0';
}

export function acceptsGzip(headers: { readonly 'accept-encoding'?: string | string[] | undefined }): boolean {
  return String(headers['accept-encoding'] ?? '')
    .split(',')
    .some((entry) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/.test(entry));
}

/** Source: RFC 9111 (1999's RFC 2616, 14.46), as the Kubernetes API uses it: code 299, no agent, the text quoted. */
export function warningHeaders(warnings: Iterable<string>): string[] {
  return Array.from(
    warnings,
    (text) => `299 - "${text.replaceAll(/[^\x20-\x7e]/g, ' ').replaceAll(/["\\]/g, (symbol) => `\\${symbol}`)}"`,
  );
}
