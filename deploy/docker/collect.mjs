// Collects what the services need at run time into a folder: built packages and services, the npm packages that they
// depend on (not one more), Node itself, and the programs of deploy/local that a node in a container uses.
//   node deploy/docker/collect.mjs FOLDER
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { nodeProgram, repository } from '../local/workspace.mjs';

const roots = [
  'services/api',
  'services/scheduler',
  'services/controller-manager',
  'services/gateway',
  'services/node-agent',
  'packages/cli',
];
const target = process.argv[2];
if (!target) throw new Error('usage: node deploy/docker/collect.mjs FOLDER');

await rm(target, { recursive: true, force: true });
/** @type {Set<string>} */
const collected = new Set();
for (const root of roots) await collect(join(repository, root));
for (const folder of ['deploy/local', 'deploy/images', 'deploy/docker']) await copy(folder);
await cp(await realpath(nodeProgram()), join(target, 'bin/node'));
await mkdir(join(target, 'node_modules/.bin'), { recursive: true });
await symlink('../../bin/node', join(target, 'node_modules/.bin/node'));

/** A package with everything it depends on. @param {string} folder */
async function collect(folder) {
  if (collected.has(folder)) return;
  collected.add(folder);
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  );
  if (folder.includes('/node_modules/')) await copy(relative(repository, folder));
  else for (const part of ['package.json', 'dist']) await copy(relative(repository, join(folder, part)));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = resolveFrom(folder, name);
    if (!found && name in optionalDependencies) continue;
    if (!found) throw new Error(`${relative(repository, folder)} depends on ${name}, which is not installed`);
    const real = await realpath(found);
    await collect(real);
    if (real !== found) await link(found, real);
  }
}

/** Where Node finds a package from a folder. @param {string} folder @param {string} name */
function resolveFrom(folder, name) {
  for (let at = folder; at.startsWith(repository); at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

/** Without the packages nested in it: those that are needed are collected on their own. @param {string} path */
async function copy(path) {
  const from = join(repository, path);
  const nested = join(from, 'node_modules');
  const skipped = /\.(map|d\.ts|d\.mts|d\.cts|tsbuildinfo|test\.js)$/;
  await cp(from, join(String(target), path), {
    recursive: true,
    filter: (source) => source !== nested && !skipped.test(source),
  });
}

/** @param {string} found @param {string} real */
async function link(found, real) {
  const path = join(String(target), relative(repository, found));
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true });
  await symlink(relative(dirname(found), real), path);
}
