import { manifest } from '@navarch/kinds';
import { escapeFieldValue, type Json, type KubeObject } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { durationMs } from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets, type Target } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { waitUntil } from '../wait-until.ts';

interface WaitOptions {
  readonly for: string;
  readonly timeout: number;
}

export const waitCommand = (run: Runner) =>
  new Command('wait')
    .description('Wait until objects are in some state')
    .argument('<target...>', 'TYPE NAME or TYPE/NAME')
    .addOption(
      new Option('--for <state>', 'condition=Ready, condition=Ready=False, delete or create').makeOptionMandatory(),
    )
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(durationMs).default(30_000, '30s'))
    .action(run(wait));

async function wait(session: Session, args: readonly string[], options: WaitOptions): Promise<void> {
  const until = session.io.now() + options.timeout;
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    const done = stateTest(options.for, kind);
    const left = Math.max(0, until - session.io.now());
    const selector = {
      namespace: namespaceOf(session, kind),
      fieldSelector: `metadata.name=${escapeFieldValue(name)}`,
    };
    if (!(await waitUntil(session, kind, selector, done, left))) {
      throw new UserError(`timed out waiting for the condition on ${kind.plural}/${name}`);
    }
    session.print(`${objectName(kind, name)} ${options.for === 'delete' ? 'deleted' : 'condition met'}\n`);
  }
}

function stateTest(state: string, kind: Target['kind']): (object: KubeObject | undefined) => boolean {
  if (state === 'delete') return (object) => object === undefined;
  if (state === 'create') return (object) => object !== undefined;
  const match = /^condition=([^=]+)(?:=(.+))?$/.exec(state);
  if (match === null) throw new UserError(`--for must be condition=NAME, condition=NAME=STATUS, delete or create`);
  const [, type, wanted = 'True'] = match;
  return (object) => {
    if (object === undefined) return false;
    const { conditions } = (manifest(kind, object)['status'] ?? {}) as { conditions?: Json }; // an object or absent
    if (!Array.isArray(conditions)) return false;
    return conditions.some((condition) => {
      const { type: name, status } = condition as { type?: string; status?: string }; // as in meta.proto
      return name?.toLowerCase() === type?.toLowerCase() && status?.toLowerCase() === wanted.toLowerCase();
    });
  };
}
