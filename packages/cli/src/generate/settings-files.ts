import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatProblem } from '@navarch/machinery';
import { type Io, UserError } from '../session.ts';

export interface SettingsFlags {
  readonly fromFile?: readonly string[];
  readonly fromLiteral?: readonly string[];
  readonly fromEnvFile?: readonly string[];
}

/** All keys and values that the flags name. Throws UserError for a key that stands twice, or is none. */
export async function readSettings(flags: SettingsFlags, { env }: Pick<Io, 'env'>): Promise<Map<string, Buffer>> {
  const { fromFile = [], fromLiteral = [], fromEnvFile = [] } = flags;
  if (fromEnvFile.length > 0 && fromFile.length + fromLiteral.length > 0) {
    throw new UserError('--from-env-file excludes --from-file and --from-literal');
  }
  const settings = new Map<string, Buffer>();
  const add = (key: string, value: Buffer, from: string) => {
    const problem = formatProblem('CONFIG_KEY', key);
    if (problem !== undefined) throw new UserError(`${from}: "${key}" as a key ${problem}`);
    if (settings.has(key)) throw new UserError(`${from}: the key "${key}" is there already`);
    settings.set(key, value);
  };
  for (const text of fromLiteral) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new UserError(`--from-literal: "${text}" must be KEY=VALUE`);
    add(text.slice(0, equals), Buffer.from(text.slice(equals + 1)), '--from-literal');
  }
  for (const text of fromFile) {
    for (const { key, path } of await filesOf(text)) add(key, await readBytes(path), '--from-file');
  }
  for (const path of fromEnvFile) {
    for (const [key, value] of envEntries(await readBytes(path), path, env)) add(key, Buffer.from(value), path);
  }
  return settings;
}

/** KEY=PATH, or a file whose name is the key, or a folder: all files in it whose names can be keys. */
async function filesOf(text: string): Promise<readonly { key: string; path: string }[]> {
  const equals = text.indexOf('=');
  if (equals === 0) throw new UserError(`--from-file: "${text}" must be PATH or KEY=PATH`);
  const path = text.slice(equals + 1);
  if (path === '') throw new UserError(`--from-file: "${text}" names no file`);
  if (!(await isFolder(path))) return [{ key: equals < 0 ? basename(path) : text.slice(0, equals), path }];
  if (equals > 0)
    throw new UserError(`--from-file: ${path} is a folder, and can't have the key "${text.slice(0, equals)}"`);
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && formatProblem('CONFIG_KEY', entry.name) === undefined)
    .map((entry) => ({ key: entry.name, path: join(path, entry.name) }))
    .sort((a, b) => a.key.localeCompare(b.key));
}

/** Lines KEY=VALUE; a KEY alone has the value that it has in this shell. */
function envEntries(bytes: Buffer, path: string, env: Io['env']): [string, string][] {
  const entries: [string, string][] = [];
  for (const [index, raw] of bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const key = equals < 0 ? line.trim() : line.slice(0, equals);
    const problem = formatProblem('ENV_NAME', key);
    if (problem !== undefined) throw new UserError(`${path}:${index + 1}: "${key}" as a key ${problem}`);
    const value = equals < 0 ? env[key] : line.slice(equals + 1);
    if (value !== undefined) entries.push([key, value]);
  }
  return entries;
}

async function isFolder(path: string): Promise<boolean> {
  return (await orNoSuchPath(path, stat(path))).isDirectory();
}

export function readBytes(path: string): Promise<Buffer> {
  return orNoSuchPath(path, readFile(path));
}

/** Throws UserError for what the user can put right: a path that is wrong, or may not be read. */
async function orNoSuchPath<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // as node:fs throws
    throw new UserError(code === 'ENOENT' ? `the path "${path}" does not exist` : message);
  }
}
