import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * How to run Debian's docker-registry on loopback, with its files under `home`.
 * @param {{ home: string, port: number, host?: string }} options host: where it listens, loopback unless told
 */
export async function registryProcess({ home, port, host = '127.0.0.1' }) {
  const config = {
    version: 0.1,
    log: { level: 'warn', formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(home, 'data') }, cache: { blobdescriptor: 'inmemory' } },
    http: { addr: `${host}:${port}` },
  };
  await mkdir(join(home, 'data'), { recursive: true });
  const file = join(home, 'config.yml');
  await writeFile(file, JSON.stringify(config)); // JSON is YAML
  return { command: 'docker-registry', args: ['serve', file], env: { OTEL_TRACES_EXPORTER: 'none' } };
}

/**
 * True once the registry answers.
 * @param {string} address
 */
export async function registryAnswers(address) {
  const response = await fetch(`http://${address}/v2/`, { signal: AbortSignal.timeout(1000) });
  return response.ok;
}
