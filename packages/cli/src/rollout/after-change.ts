import { type Command, Option } from 'commander';
import type { Chosen } from '../choose-objects.ts';
import { durationMs, isDryRun } from '../options.ts';
import type { Session } from '../session.ts';
import { followRollout } from './follow.ts';
import { hasRollouts } from './rollout-kinds.ts';

/** The flags of commands that begin a rollout. */
export interface WaitFlags {
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly dryRun?: string;
}

export function withWait(command: Command): Command {
  return command
    .option('--wait', 'then follow the rollouts to their end, as `navctl rollout status` does')
    .addOption(new Option('--timeout <duration>', 'with --wait: how long to wait').argParser(durationMs));
}

/** Follows what has begun when that was asked for; otherwise tells a person at a terminal how to. */
export async function afterChange(session: Session, chosen: Chosen, flags: WaitFlags): Promise<void> {
  const { kind, namespace, name } = chosen;
  if (isDryRun(flags) || !hasRollouts(kind)) return;
  if (flags.wait === true) return await followRollout(session, chosen, { timeoutMs: flags.timeout });
  if (session.io.stdout.isTTY !== true) return;
  const where = namespace === 'default' ? '' : ` -n ${namespace}`;
  session.warn(`Follow it with: navctl rollout status ${kind.singular}/${name}${where}\n`);
}
