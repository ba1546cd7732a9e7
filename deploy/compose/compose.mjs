import { dirname } from 'node:path';
import { must, run } from '../local/exec.mjs';
import { nodeProgram, repository } from '../local/workspace.mjs';
import { dockerProgram } from './engine.mjs';

/**
 * docker compose, as the plugin or as Debian's docker-compose, on an engine and with variables.
 * @param {string} host
 * @param {Record<string, string>} variables
 */
export async function composeOn(host, variables) {
  const env = {
    ...process.env,
    ...variables,
    DOCKER_HOST: host,
    DOCKER_BUILDKIT: '1',
    COMPOSE_DOCKER_CLI_BUILD: '1',
    COMPOSE_PROJECT_NAME: 'navarch-test',
    PATH: `${dirname(dockerProgram())}:${process.env['PATH'] ?? ''}`,
  };
  const plugin = (await run('docker', ['compose', 'version'], { env })).code === 0;
  const [command, first] = plugin ? ['docker', ['compose']] : ['docker-compose', []];
  return (/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ more = {}) =>
    must(command, [...first, ...args], { cwd: repository, env: { ...env, ...more } });
}

/** @param {string} api @returns {(...args: string[]) => Promise<any>} navctl's JSON */
export const navctlOn =
  (api) =>
  async (...args) => {
    const env = { ...process.env, NAVARCH_API: api };
    const program = `${repository}/packages/cli/bin/navctl.js`;
    const out = await must(nodeProgram(), [program, ...args], { env });
    return args.includes('json') ? JSON.parse(out) : out;
  };
