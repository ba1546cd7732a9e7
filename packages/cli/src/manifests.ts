import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  builtinKinds,
  customResourceDefinition,
  decodeManifest,
  definitionStatus,
  type KindDefinition,
  type Kinds,
  nameProblem,
} from '@navarch/kinds';
import {
  applyDefaults,
  type FieldError,
  type KubeObject,
  type Position,
  readYaml,
  validateObject,
} from '@navarch/machinery';
import type { CustomResourceDefinition } from '@navarch/proto';
import { kindsWith } from './discover-kinds.ts';
import type { Strictness } from './options.ts';
import { warnOfDeprecated } from './resource-args.ts';
import { type Session, UserError } from './session.ts';

/** One object of a file, read and checked. */
export interface Manifest {
  readonly kind: KindDefinition;
  /** As the file has it: what is sent. */
  readonly json: Record<string, unknown>;
  /** As the file has it, decoded. */
  readonly object: KubeObject;
  readonly name: string;
  /** web.yaml:12:1 */
  readonly place: string;
  /** The place of a field that an error names. */
  readonly locate: (path: string) => string;
  /** It has fields that are unknown, and was read all the same. */
  readonly hasUnknown: boolean;
}

export interface FileOptions {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
}

/**
 * Reads all manifests of files, folders (their *.yaml, *.yml and *.json) and '-', which is stdin. Each is decoded and
 * checked by all rules that need no server. Throws one UserError that lists everything wrong in all of them.
 * With 'names' they may be wrong in all but kind and name, which is enough to delete or show what they name; with 'warn' and
 * 'ignore' they may have fields that are unknown or stand twice.
 */
export async function readManifests(
  session: Session,
  { filename, recursive }: FileOptions,
  mode: Strictness | 'names' = 'strict',
): Promise<readonly Manifest[]> {
  const files: { readonly file: string; readonly yaml: ReturnType<typeof readYaml> }[] = [];
  for (const path of filename) {
    for (const { file, text } of await readFiles(path, recursive === true, session.io.stdin)) {
      files.push({ file, yaml: readYaml(text) });
    }
  }
  const kindsFor = kindsOf(
    session,
    files.flatMap(({ yaml }) => yaml.documents.flatMap(({ json }) => expandList(json).map((each) => each.json))),
  );
  const manifests: Manifest[] = [];
  const problems: string[] = [];
  const lenient = mode === 'warn' || mode === 'ignore';
  for (const { file, yaml } of files) {
    const found: { position: Position; text: string; passes: boolean }[] = [];
    for (const { position, message, duplicate } of yaml.errors) {
      found.push({ position, text: message, passes: lenient && duplicate === true });
    }
    for (const document of yaml.documents) {
      if (document.hasDuplicates && !lenient) continue;
      for (const { json, prefix } of expandList(document.json)) {
        const locate = (path: string) => placeText(file, document.locate(joinPath(prefix, path)));
        const { manifest, errors } = check(json, locate, await kindsFor(json), mode);
        for (const { path, message, unknown } of errors) {
          const field = joinPath(prefix, path);
          const passes = lenient && unknown === true;
          found.push({ position: document.locate(field), text: `${field}: ${message}`, passes });
        }
        if (manifest !== undefined) manifests.push(manifest);
      }
    }
    found.sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
    for (const { position, text, passes } of found) {
      const problem = `${placeText(file, position)} ${text}`;
      if (!passes) problems.push(problem);
      else if (mode === 'warn') session.warn(`Warning: ${problem}\n`);
    }
  }
  if (problems.length > 0) throw new UserError(`nothing was sent, because:\n  ${problems.join('\n  ')}`);
  warnOfDeprecated(
    session,
    manifests.map(({ kind }) => kind),
  );
  if (manifests.length === 0) throw new UserError(`no manifests in ${filename.join(', ')}`);
  return manifests;
}

/**
 * Finds the kinds among which a manifest's is: those that are built in and those that the files define are known without
 * asking; the api is asked when a manifest names another that could be a custom one.
 */
function kindsOf(session: Session, all: readonly unknown[]): (json: unknown) => Promise<Kinds> {
  const known = kindsWith(builtinKinds, all.flatMap(definitionIn));
  return async (json) => {
    const { apiVersion, kind } = isRecord(json) ? json : {};
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') return known;
    const group = apiVersion.slice(0, apiVersion.indexOf('/') + 1);
    if (known.byApiVersion(apiVersion, kind) !== undefined || !group.includes('.')) return known;
    return await session.kinds();
  };
}

/** A definition in a manifest as it will be once it is applied; none when it is wrong, which is told elsewhere. */
function definitionIn(json: unknown): readonly CustomResourceDefinition[] {
  if (!isRecord(json) || json['kind'] !== customResourceDefinition.kind) return [];
  const { kind, object, errors } = decodeManifest(json);
  if (kind?.case !== customResourceDefinition.case || errors.length > 0) return [];
  const definition = object as CustomResourceDefinition; // the kind says what it is
  kind.complete?.(definition);
  if ((kind.validate?.(definition) ?? []).length > 0) return [];
  return [{ ...definition, status: definitionStatus({ ...definition, status: undefined }, [], '') }];
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function check(
  json: unknown,
  locate: Manifest['locate'],
  kinds: Kinds,
  mode: Strictness | 'names',
): { manifest?: Manifest; errors: readonly FieldError[] } {
  const { kind, object, errors } = decodeManifest(json, kinds);
  const unknown = errors.filter((error) => error.unknown === true);
  const isReadable = mode === 'names' || errors.length === (mode === 'strict' ? 0 : unknown.length);
  if (kind === undefined || !isReadable) return { errors };
  const name = object.metadata?.name ?? '';
  const problems: FieldError[] = mode === 'names' ? [] : unknown;
  if (name === '' && (object.metadata?.generateName ?? '') === '') {
    problems.push({ path: 'metadata.name', message: 'must be set' });
  }
  const nameIsWrong = name === '' ? undefined : nameProblem(kind, name);
  if (nameIsWrong !== undefined) problems.push({ path: 'metadata.name', message: nameIsWrong });
  // decodeManifest has found a kind, so it is an object.
  const read = { kind, object, json: json as Record<string, unknown>, name, hasUnknown: unknown.length > 0 };
  const manifest: Manifest = { ...read, place: locate(''), locate };
  if (mode === 'names') return { manifest, errors: problems };
  // Defaults go into a copy of its own: what is sent is what the file says.
  const complete = decodeManifest(json, kinds).object ?? object;
  const schema = kind.schema;
  kind.unify?.(complete);
  applyDefaults(schema, complete);
  kind.complete?.(complete);
  const broken = validateObject(schema, complete);
  problems.push(...broken);
  if (broken.length === 0) problems.push(...(kind.validate?.(complete) ?? []));
  return { manifest, errors: problems };
}

/** What is wrong with a manifest that stands in no file, by all rules that need no server. */
export function manifestProblems(json: unknown, kinds: Kinds): readonly FieldError[] {
  return check(json, () => '', kinds, 'strict').errors;
}

/** `kind: List` holds several manifests, as `get -o yaml` prints them. */
function expandList(json: unknown): readonly { json: unknown; prefix: string }[] {
  const { kind, items } = (typeof json === 'object' && json !== null ? json : {}) as {
    kind?: unknown;
    items?: unknown;
  };
  if (kind !== 'List' || !Array.isArray(items)) return [{ json, prefix: '' }];
  return items.map((item: unknown, index) => ({ json: item, prefix: `items[${index}]` }));
}

async function readFiles(
  path: string,
  recursive: boolean,
  stdin: Readable,
): Promise<readonly { file: string; text: string }[]> {
  if (path === '-') return [{ file: 'stdin', text: await readAll(stdin) }];
  try {
    if (!(await stat(path)).isDirectory()) return [{ file: path, text: await readFile(path, 'utf8') }];
    const entries = await readdir(path, { recursive, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    return await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new UserError(`the path "${path}" does not exist`);
    }
    throw error;
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

function joinPath(prefix: string, path: string): string {
  if (prefix === '' || path === '') return prefix + path;
  return path.startsWith('[') ? prefix + path : `${prefix}.${path}`;
}

function placeText(file: string, { line, column }: Position): string {
  return `${file}:${line}:${column}`;
}
