import { sendJson } from '../http/reply.ts';
import type { PathRoutes } from '../routes/path-router.ts';

/** The version of the Kubernetes API whose semantics are spoken: clients choose by it what they ask for. */
const spoken = { major: '1', minor: '33' } as const;

/** /version: what is spoken, and which program speaks it. */
export function versionRoutes(version: string): PathRoutes {
  const answer = {
    ...spoken,
    gitVersion: `v${spoken.major}.${spoken.minor}.0+navarch-${version}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: `node ${process.version}`,
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
  return (path) => (path === '/version' ? (exchange) => sendJson(exchange, 200, answer) : undefined);
}
