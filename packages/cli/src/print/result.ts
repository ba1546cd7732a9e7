import { type KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { dryRunNote } from '../options.ts';
import { objectName } from '../resource-args.ts';
import type { Session } from '../session.ts';
import { objectText, shownManifest } from './objects.ts';

/** The flags that say how the outcome of a change is told. */
export interface ResultFlags {
  readonly output?: 'yaml' | 'json' | 'name';
  readonly dryRun?: string;
}

/** What became of one object. */
export interface Result {
  readonly kind: KindDefinition;
  readonly object: KubeObject;
  /** What was done to it: created, patched. */
  readonly done: string;
}

/** Prints the line that says what was done or, as -o says, the object or its name. */
export function printResult(session: Session, { kind, object, done }: Result, flags: ResultFlags): void {
  const name = objectName(kind, object.metadata?.name ?? '');
  switch (flags.output) {
    case 'yaml':
    case 'json':
      return session.print(objectText(flags.output, shownManifest(kind, object, {})));
    case 'name':
      return session.print(`${name}\n`);
    case undefined:
      return session.print(`${name} ${done}${dryRunNote(flags)}\n`);
    default:
      return flags.output satisfies never;
  }
}
