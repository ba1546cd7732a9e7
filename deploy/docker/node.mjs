// A node in a container: containerd and the node-agent under the supervisor, until the container is stopped.
import { mkdir, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stopCluster } from '../local/cluster.mjs';
import { places, readConfig } from '../local/config.mjs';
import { planProcesses } from '../local/processes.mjs';

// Compose passes on variables that nobody set as empty ones.
for (const [name, value] of Object.entries(process.env)) if (value === '') delete process.env[name];
const { NAVARCH_API: api = 'api:7400', NAVARCH_NATS: nats = 'nats://nats:7430' } = process.env;
const config = readConfig(['--join', api, '--join-nats', nats, '--registry', 'internet'], process.env);
const processes = await planProcesses(config, { localRegistry: false });
const place = places(config);
await mkdir(config.run, { recursive: true, mode: 0o711 });
await writeFile(place.cluster, JSON.stringify({ config, processes, networkNamespace: '' }));

const supervisor = fileURLToPath(new URL('../local/supervisor.mjs', import.meta.url));
// What each process logs belongs to the container's log here, not to files.
const child = spawn(process.execPath, [supervisor, place.cluster, 'inherit'], { stdio: 'inherit' });
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) process.on(signal, () => child.kill('SIGTERM'));
await new Promise((resolve) => child.once('close', resolve));
const left = await stopCluster(config, () => {});
if (left.length > 0) console.error(`left behind: ${left.join(', ')}`);
