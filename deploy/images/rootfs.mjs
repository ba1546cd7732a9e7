import { chmod, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { must } from '../local/exec.mjs';

/**
 * Downloads Debian packages and unpacks them into one folder, without installing anything.
 * @param {readonly string[]} packages
 * @param {string} folder
 */
export async function unpackPackages(packages, folder) {
  const downloads = join(folder, '.debs');
  await mkdir(downloads, { recursive: true });
  // The sandbox user of apt can't write into our folder; root downloads and apt checks the signatures all the same.
  await must('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: downloads });
  for (const name of (await readdir(downloads)).sort()) await must('dpkg-deb', ['-x', join(downloads, name), folder]);
}

/**
 * Lays an image's files out in `root`, from the unpacked packages in `source`.
 * @param {import('./catalogue.mjs').ImageRecipe} recipe
 * @param {string} source
 * @param {string} root
 */
export async function layOut(recipe, source, root) {
  await mkdir(join(root, 'tmp'), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  for (const folder of recipe.folders ?? []) await mkdir(join(root, folder), { recursive: true });
  for (const path of recipe.copies ?? []) await copy(source, root, path);
  for (const program of recipe.programs ?? []) {
    await copy(source, root, program);
    for (const library of await neededLibraries(source, program)) await copy(source, root, library);
  }
  if (recipe.shell) await addBusybox(source, root);
  for (const [path, content] of Object.entries(recipe.files ?? {})) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o644 });
  }
  for (const [path, target] of Object.entries(recipe.links ?? {})) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
}

/** @param {string} source @param {string} root @param {string} path */
async function copy(source, root, path) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await cp(join(source, path), join(root, path), { recursive: true, dereference: true });
}

/** @param {string} source @param {string} root */
async function addBusybox(source, root) {
  await copy(source, root, '/bin/busybox');
  const programs = await must(join(source, 'bin/busybox'), ['--list']);
  for (const name of programs.trim().split('\n')) {
    if (name !== 'busybox') await symlink('busybox', join(root, 'bin', name));
  }
}

/**
 * The shared libraries that a program in `source` needs, the loader first, as paths inside `source`. The loader of the
 * unpacked libc finds them: it works for every architecture, and never takes a library of this machine for one of
 * the packages.
 * @param {string} source
 * @param {string} program
 */
async function neededLibraries(source, program) {
  const loader = await findLoader(source);
  const folders = [];
  for (const lib of ['lib', 'usr/lib']) {
    for (const entry of await readdir(join(source, lib), { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name.endsWith('-linux-gnu')) folders.push(join(source, lib, entry.name));
    }
  }
  const list = await must(join(source, loader), ['--library-path', folders.join(':'), '--list', join(source, program)]);
  const found = [...list.matchAll(/=> (\S+) \(/g)].map(([, path]) => path ?? '');
  const foreign = found.filter((path) => !path.startsWith(`${source}/`) && !path.includes('ld-linux'));
  if (foreign.length > 0) throw new Error(`${program} needs ${foreign.join(', ')}, which no listed package holds`);
  return [loader, ...found.filter((path) => path.startsWith(`${source}/`)).map((path) => path.slice(source.length))];
}

/** @param {string} source */
async function findLoader(source) {
  for (const folder of ['lib64', 'lib']) {
    const names = await readdir(join(source, folder)).catch(() => []);
    const name = names.find((name) => /^ld-linux.*\.so/.test(name));
    if (name) return `/${folder}/${name}`;
  }
  throw new Error('libc6 holds no loader in /lib64 or /lib');
}
