import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '@navarch/machinery';

/** Options that several commands share, spelled as kubectl does. */
export const filenameOption = () =>
  new Option('-f, --filename <path>', 'a file, a folder, or - for stdin; may be given several times').argParser(
    collect,
  );
export const recursiveOption = () => new Option('-R, --recursive', 'read folders in folders too');
export const selectorOption = () =>
  new Option('-l, --selector <labels>', 'only objects with these labels: app=web,tier!=test');
export const fieldSelectorOption = () =>
  new Option('--field-selector <fields>', 'only objects with these field values: status.phase=Running');
export const allNamespacesOption = () => new Option('-A, --all-namespaces', 'in all namespaces');
export const dryRunOption = () =>
  new Option('--dry-run [mode]', 'let the server check everything, but change nothing')
    .choices(['none', 'server', 'client'])
    .preset('server');
export const fieldManagerOption = () =>
  new Option('--field-manager <name>', 'who is kept as the one that set these fields (default: "navctl")');
export const validateOption = () =>
  new Option(
    '--validate [mode]',
    'fields that are unknown or stand twice: strict refuses them, warn reports and ignore drops them',
  )
    .choices(['strict', 'warn', 'ignore', 'true', 'false'])
    .preset('strict');
export const outputOption = () =>
  new Option('-o, --output <format>', 'print the object, or its name, instead of what was done').choices([
    'yaml',
    'json',
    'name',
  ]);
export const containerOption = () => new Option('-c, --container <name>', 'the container');

export const atOption = () =>
  new Option('--at <moment>', 'as it was: so long ago (5m), at a time (2026-01-31T12:00:00Z), or at a revision');

/** --dry-run for client and server: both ask the server to check and to keep nothing. */
export function isDryRun(options: { readonly dryRun?: string }): boolean {
  return options.dryRun !== undefined && options.dryRun !== 'none';
}

/** What stands behind the result of a dry run. */
export function dryRunNote(options: { readonly dryRun?: string }): string {
  if (!isDryRun(options)) return '';
  return options.dryRun === 'client' ? ' (dry run)' : ' (server dry run)';
}

/** The flags of commands that change objects. */
export interface WriteFlags {
  readonly dryRun?: string;
  readonly fieldManager?: string;
}

/** These flags as the client takes them. */
export function writeOptions(flags: WriteFlags): { dryRun: boolean; fieldManager?: string } {
  const { fieldManager } = flags;
  return { dryRun: isDryRun(flags), ...(fieldManager === undefined ? {} : { fieldManager }) };
}

/** How strictly manifests are read. */
export type Strictness = 'strict' | 'warn' | 'ignore';

/** --validate; strict by default. true and false are kubectl's older words. */
export function strictnessOf({ validate = 'strict' }: { readonly validate?: string }): Strictness {
  if (validate === 'warn') return 'warn';
  return validate === 'ignore' || validate === 'false' ? 'ignore' : 'strict';
}

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** 30s, 5m, 1h30m; a bare number is seconds. */
export function durationMs(text: string): number {
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('It must be a duration such as 30s, 5m or 1h30m.');
  return milliseconds;
}

export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
