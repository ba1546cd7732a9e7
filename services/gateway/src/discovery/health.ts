import type { Handler } from '../http/exchange.ts';
import { send } from '../http/reply.ts';
import type { PathRoutes } from '../routes/path-router.ts';

export interface HealthCheck {
  readonly name: string;
  /** Why it is not well; undefined when it is. */
  readonly problem: () => string | undefined;
}

/** /healthz, /livez and /readyz, whole or one check alone, in the words that an apiserver answers with. */
export function healthRoutes(checks: {
  readonly live: readonly HealthCheck[];
  readonly ready: readonly HealthCheck[];
}): PathRoutes {
  const all = { healthz: checks.ready, livez: checks.live, readyz: checks.ready };
  return (path) => {
    const [, name = '', one, ...rest] = path.split('/');
    if (!Object.hasOwn(all, name) || rest.length > 0) return undefined;
    const known = all[name as keyof typeof all];
    if (one === undefined) return report(name, known);
    const check = known.find((each) => each.name === one);
    return check === undefined ? undefined : report(`${name}/${one}`, [check]);
  };
}

function report(name: string, checks: readonly HealthCheck[]): Handler {
  return async (exchange) => {
    const excluded = exchange.query.getAll('exclude');
    const lines = checks
      .filter((check) => !excluded.includes(check.name))
      .map((check) => {
        const problem = check.problem();
        return {
          isWell: problem === undefined,
          text: `[${problem === undefined ? '+' : '-'}]${check.name} ${problem === undefined ? 'ok' : `failed: ${problem}`}`,
        };
      });
    const isWell = lines.every((line) => line.isWell);
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
    if (isWell && !exchange.query.has('verbose')) {
      await send(exchange, 200, 'ok', headers);
      return;
    }
    const text = `${lines.map((line) => line.text).join('\n')}\n${name} check ${isWell ? 'passed' : 'failed'}\n`;
    await send(exchange, isWell ? 200 : 503, text, headers);
  };
}
