import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { places } from './config.mjs';

const checkMs = 3000;
const keepMs = 3_600_000;

/**
 * Whether images come from a registry of our own: asked for, or because the internet's can't be reached. What was found
 * is remembered for an hour, so that starting again doesn't wait.
 * @param {import('./config.mjs').Config} config
 * @returns {Promise<boolean>}
 */
export async function needsLocalRegistry(config) {
  if (config.registry !== 'auto') return config.registry === 'local';
  const { registryCheck } = places(config);
  const known = JSON.parse(await readFile(registryCheck, 'utf8').catch(() => '{}'));
  if (Date.now() - (known.at ?? 0) < keepMs) return known.local;
  // 401 is its answer to somebody without a token: it is there.
  const local = await fetch('https://registry-1.docker.io/v2/', { signal: AbortSignal.timeout(checkMs) }).then(
    (response) => response.status !== 401 && !response.ok,
    () => true,
  );
  await mkdir(dirname(registryCheck), { recursive: true, mode: 0o711 });
  await writeFile(registryCheck, JSON.stringify({ at: Date.now(), local }));
  return local;
}
