import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { objectName } from '../resource-args.ts';
import type { Session } from '../session.ts';
import type { GetOptions } from './get-options.ts';
import { objectText, shownManifest } from './objects.ts';
import { tableRow, tableTitles } from './table.ts';

interface WatchOptions extends GetOptions {
  readonly namespace: string;
  /** What there was at a revision, and that revision: printed first instead of what the watch begins with. */
  readonly begin?: { readonly items: readonly KubeObject[]; readonly revision: bigint };
  /** Prints no row for an object that goes. */
  readonly withoutDeleted?: boolean;
}

/** Prints what there is and then each change as a row of its own, until Ctrl-C. */
export async function watchAndPrint(session: Session, kind: KindDefinition, options: WatchOptions): Promise<number> {
  const print = printer(session, kind, options);
  const batches = session.client().watch(kind, {
    namespace: options.namespace,
    ...(options.begin === undefined ? {} : { after: options.begin.revision }),
    ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
    signal: session.io.signal,
  });
  if (options.begin !== undefined) print(options.begin.items);
  try {
    for await (const { initial, events } of batches) {
      if (initial && options.watchOnly === true) continue;
      const shown = options.withoutDeleted === true ? events.filter(({ type }) => type !== 'deleted') : events;
      print(shown.map(({ object }) => object));
    }
  } catch (error) {
    if (!session.io.signal.aborted) throw error;
  }
  return 0;
}

function printer(
  session: Session,
  kind: KindDefinition,
  options: WatchOptions,
): (items: readonly KubeObject[]) => void {
  const { output } = options;
  if (output === 'name') {
    return (items) => {
      for (const { metadata } of items) session.print(`${objectName(kind, metadata?.name ?? '')}\n`);
    };
  }
  if (output === 'json' || output === 'yaml') {
    const lead = output === 'yaml' ? '---\n' : '';
    return (items) => {
      for (const item of items) session.print(lead + objectText(output, shownManifest(kind, item, options)));
    };
  }
  const widths: number[] = [];
  let titled = !options.headers;
  return (items) => {
    const table = { ...options, wide: output === 'wide', withKind: false, now: session.io.now() };
    const rows = items.map((item) => tableRow(kind, item, table).map(String));
    if (!titled && rows.length > 0) {
      rows.unshift([...tableTitles(kind, table)]);
      titled = true;
    }
    // Columns only grow, so that rows printed later stand below the earlier ones.
    for (const row of rows) {
      for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
    for (const row of rows) {
      session.print(
        `${row
          .map((cell, index) => cell.padEnd((widths[index] ?? 0) + 3))
          .join('')
          .trimEnd()}\n`,
      );
    }
  };
}
