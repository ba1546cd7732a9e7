import { styleText } from 'node:util';
import { type KindDefinition } from '@navarch/kinds';
import type { JsonObject, KubeObject } from '@navarch/machinery';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { changeable } from '../content.ts';
import type { Session } from '../session.ts';
import { objectText } from './objects.ts';

/** One object at two moments; undefined where it is not there. */
export interface Difference {
  readonly kind: KindDefinition;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** What the two moments are called in the heads of a diff. */
export interface DiffNames {
  readonly before: string;
  readonly after: string;
}

/** A unified diff of the two as YAML; '' when they are the same. */
export function diffText({ kind, before, after }: Difference, names: DiffNames): string {
  const one = before && changeable(kind, before);
  const two = after && changeable(kind, after);
  if (kind.kind === 'Secret') hideSecrets(one, two);
  const [old, now] = [one, two].map((json) => (json === undefined ? '' : objectText('yaml', json)));
  if (old === now) return '';
  const metadata = (after ?? before)?.metadata;
  const place = [kind.apiVersion.replace('/', '.'), kind.kind, metadata?.namespace, metadata?.name];
  const file = place.filter((part) => part !== undefined && part !== '').join('.');
  return createTwoFilesPatch(`${names.before}/${file}`, `${names.after}/${file}`, old ?? '', now ?? '', '', '', {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  });
}

/** Prints it, in colours on a terminal. */
export function printDiff(session: Session, text: string): void {
  const { io } = session;
  const colours = io.stdout.isTTY === true && (io.env['NO_COLOR'] ?? '') === '';
  session.print(colours ? text.replaceAll(/^.*$/gm, paint) : text);
}

function paint(line: string): string {
  if (/^(---|\+\+\+) /.test(line)) return styleText('bold', line, { validateStream: false });
  if (line.startsWith('@@')) return styleText('cyan', line, { validateStream: false });
  if (line.startsWith('+')) return styleText('green', line, { validateStream: false });
  return line.startsWith('-') ? styleText('red', line, { validateStream: false }) : line;
}

/** That a value differs may be seen; what it is may not. */
function hideSecrets(before: JsonObject | undefined, after: JsonObject | undefined): void {
  const [old, now] = [before, after].map((json) => (json?.['data'] ?? {}) as JsonObject); // a map in the contract
  for (const key of new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])) {
    const differs = old?.[key] !== undefined && now?.[key] !== undefined && old[key] !== now[key];
    if (old?.[key] !== undefined) old[key] = differs ? '*** (before)' : '***';
    if (now?.[key] !== undefined) now[key] = differs ? '*** (after)' : '***';
  }
}
