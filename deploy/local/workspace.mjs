import { existsSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './exec.mjs';
import { Failure } from './failure.mjs';

export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const modules = join(repository, 'node_modules');
const lockStamp = join(modules, '.navarch-lock');
const buildStamp = join(modules, '.navarch-build');

/** The Node that the services run on: the one that npm brought, or this one when it is new enough. */
export function nodeProgram() {
  const brought = join(modules, '.bin/node');
  if (existsSync(brought)) return brought;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Failure(
    `The services need Node 24, and npm has none for ${process.arch}.`,
    'Install Node 24 and start again with it.',
  );
}

/** The environment with the programs of `node_modules/.bin` first, so that `node` is the services' own. */
export const workspaceEnv = () => ({ ...process.env, PATH: `${join(modules, '.bin')}:${process.env['PATH'] ?? ''}` });

/**
 * Installs the npm packages, unless those that the lock file asks for are there.
 * @param {(line: string) => void} onLine
 * @returns {Promise<boolean>} whether there was something to do
 */
export async function installModules(onLine) {
  const lock = await readFile(join(repository, 'package-lock.json'), 'utf8');
  const wanted = createHash('sha256').update(process.arch).update(lock).digest('hex');
  if ((await readOr(lockStamp)) === wanted) return false;
  if (!(await matchesInstalled(lock))) {
    const args = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
    const { code, stderr } = await run('npm', args, { cwd: repository, onLine });
    if (code !== 0) {
      throw new Failure(
        `npm ci failed: ${npmReason(stderr)}`,
        'Check that npm reaches its registry (npm ping), then start again.',
      );
    }
  }
  await writeFile(lockStamp, wanted);
  return true;
}

/** @param {string} stderr */
function npmReason(stderr) {
  const lines = stderr.split('\n').filter((line) => /^npm (error|ERR!) /.test(line) && !line.includes('complete log'));
  return lines
    .map((line) => line.replace(/^npm (error|ERR!) /, ''))
    .slice(0, 6)
    .join('\n  ');
}

/**
 * Whether node_modules already holds what the lock file says, by the list that npm keeps of it: a checkout that a
 * developer installed by hand is not installed anew.
 * @param {string} lock
 */
async function matchesInstalled(lock) {
  const installed = await readOr(join(modules, '.package-lock.json'));
  if (!installed) return false;
  const have = JSON.parse(installed).packages;
  return Object.entries(JSON.parse(lock).packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional || wanted.devOptional) return true;
    return have[path] && (wanted.link || have[path].version === wanted.version);
  });
}

/**
 * Builds what changed since the last time; nothing, when no source is newer.
 * @param {(line: string) => void} onLine
 * @returns {Promise<boolean>} whether there was something to do
 */
export async function buildWorkspace(onLine) {
  const now = await sourceState();
  if ((await readOr(buildStamp)) === now && (await isBuilt())) return false;
  const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'build'], { cwd: repository, onLine });
  if (code !== 0) {
    const said = `${stdout}${stderr}`.trim().split('\n').slice(0, 20).join('\n  ');
    throw new Failure(`The build failed:\n  ${said}`, 'Correct what it names (npm run build shows it whole).');
  }
  await writeFile(buildStamp, now);
  return true;
}

/** Changes with the name, size or time of any source. */
async function sourceState() {
  const hash = createHash('sha256').update((await readOr(lockStamp)) ?? '');
  const add = async (/** @type {string} */ path) => {
    const stats = await stat(path).catch(() => undefined);
    hash.update(`${path} ${stats?.size} ${stats?.mtimeMs}\n`);
  };
  await add(join(repository, 'tsconfig.json'));
  await addTree(join(repository, 'proto'), add);
  for (const folder of await packageFolders()) {
    await add(join(folder, 'package.json'));
    await add(join(folder, 'tsconfig.json'));
    // The generated package's sources are build output.
    if (folder !== join(repository, 'packages/proto')) await addTree(join(folder, 'src'), add);
  }
  return hash.digest('hex');
}

const isBuilt = async () => (await packageFolders()).every((folder) => existsSync(join(folder, 'dist')));

async function packageFolders() {
  const folders = [join(repository, 'bench'), join(repository, 'test')];
  for (const group of ['packages', 'services']) {
    for (const name of await readdir(join(repository, group))) folders.push(join(repository, group, name));
  }
  return folders.sort();
}

/** @param {string} folder @param {(path: string) => Promise<void>} add */
async function addTree(folder, add) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  names.sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) await add(join(folder, name));
}

/** @param {string} path */
const readOr = (path) => readFile(path, 'utf8').catch(() => undefined);
