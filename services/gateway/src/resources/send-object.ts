import type { KindDefinition } from '@navarch/kinds';
import { stringify } from 'yaml';
import type { Exchange } from '../http/exchange.ts';
import type { Accepts } from '../http/media.ts';
import { isPretty, send } from '../http/reply.ts';
import { objectJson } from '../json/object-json.ts';
import { tableJson } from '../json/table-json.ts';
import { includedOf } from './included.ts';

export interface ObjectAnswer {
  readonly exchange: Exchange;
  readonly kind: KindDefinition;
  readonly accepts: Accepts;
}

/** Answers with the object in an encoded Resource, in the form that was asked for. */
export async function sendObject(
  { exchange, kind, accepts }: ObjectAnswer,
  code: number,
  bytes: Buffer,
): Promise<void> {
  if (accepts.form === 'table') {
    const included = includedOf(exchange.query);
    await sendText(exchange, accepts, code, tableJson(kind, [bytes], { included, now: Date.now(), withColumns: true }));
    return;
  }
  const metadataOnly = accepts.form === 'metadata';
  await sendText(exchange, accepts, code, objectJson({ kind, metadataOnly, typed: true }, bytes));
}

/** Answers with a JSON text, in the way that was asked for. */
export async function sendText(exchange: Exchange, { yaml }: Accepts, code: number, json: Buffer): Promise<void> {
  if (yaml) {
    await send(exchange, code, stringify(JSON.parse(json.toString('utf8'))), { 'content-type': 'application/yaml' });
  } else if (isPretty(exchange)) {
    await send(exchange, code, `${JSON.stringify(JSON.parse(json.toString('utf8')), undefined, 2)}\n`);
  } else await send(exchange, code, json);
}
