import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogue } from './catalogue.mjs';
import { imageOf, layerOf, writeLayout } from './oci.mjs';
import { layOut, unpackPackages } from './rootfs.mjs';

/**
 * Builds the images of the catalogue into an OCI layout under `cache`, unless they are there already.
 * Several builds may run at once: the first to finish wins.
 * @param {string} cache
 * @param {(what: string) => void} [progress]
 * @returns {Promise<string>} the layout's folder
 */
export async function buildImages(cache, progress = () => {}) {
  const done = join(cache, 'images', await recipeHash());
  if (await exists(join(done, 'index.json'))) return done;
  await mkdir(join(cache, 'images'), { recursive: true });
  const work = await mkdtemp(join(cache, 'images', '.build-'));
  try {
    const images = new Map();
    for (const recipe of catalogue) {
      progress(recipe.repository);
      const source = join(work, `${recipe.repository}-packages`);
      const root = join(work, `${recipe.repository}-root`);
      await mkdir(source, { recursive: true });
      await unpackPackages(recipe.packages, source);
      await layOut(recipe, source, root);
      const layer = await layerOf(root, `${root}.tar`);
      for (const [index, tag] of recipe.tags.entries()) {
        const labels = index === 0 ? {} : { Labels: { 'io.navarch.same-as': recipe.tags[0], 'io.navarch.tag': tag } };
        images.set(`${recipe.repository}:${tag}`, imageOf(layer, { ...recipe.config, ...labels }));
      }
    }
    await writeLayout(join(work, 'layout'), images);
    await rename(join(work, 'layout'), done).catch(async (error) => {
      if (!(await exists(join(done, 'index.json')))) throw error; // else another build was faster
    });
    return done;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Changes when anything that makes the images changes. */
async function recipeHash() {
  const hash = createHash('sha256').update(process.arch);
  for (const file of ['build.mjs', 'catalogue.mjs', 'oci.mjs', 'rootfs.mjs']) {
    hash.update(await readFile(new URL(file, import.meta.url)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** @param {string} path */
const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );
