import { escapeFieldValue, isApiError, type KubeObject } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { durationMs } from '../options.ts';
import { objectName } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { readState, type WantedState } from '../wait-state.ts';
import { waitUntil } from '../wait-until.ts';

interface WaitOptions extends ChoiceOptions {
  readonly for: string;
  readonly timeout: number;
}

export const waitCommand = (run: Runner) =>
  withChoice(new Command('wait'))
    .description('Wait until objects are in some state')
    .addOption(
      new Option(
        '--for <state>',
        'condition=Ready, condition=Ready=False, jsonpath={.status.phase}=Running, jsonpath={.status.podIP}, create or delete',
      ).makeOptionMandatory(),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for all of them; 0 looks once, -1 waits for a week')
        .argParser(timeoutMs)
        .default(30_000, '30s'),
    )
    .addHelpText(
      'after',
      [
        '\nExits with 0 once it is so for all of them, and with 1 when the time is up.',
        '\nExamples:',
        '  navctl wait pod/web --for=condition=Ready --timeout=1m',
        '  navctl wait pods -l app=web --for=condition=Ready',
        "  navctl wait pod/web --for=jsonpath='{.status.phase}'=Running",
        '  navctl wait deploy/web --for=condition=Available=False',
        '  navctl wait pods --all --for=delete',
      ].join('\n'),
    )
    .action(run(wait));

const weekMs = 7 * 24 * 3_600_000;

function timeoutMs(text: string): number {
  return text.startsWith('-') && durationMs(text.slice(1)) > 0 ? weekMs : durationMs(text);
}

async function wait(session: Session, args: readonly string[], options: WaitOptions): Promise<number> {
  const state = readState(options.for);
  const chosen = await chooseObjects(session, args, options);
  if (chosen.length === 0) throw new UserError('no matching resources found');
  const until = session.io.now() + options.timeout;
  return forEachOf(session, chosen, async (one) => {
    const left = Math.max(0, until - session.io.now());
    const { kind, name } = one;
    if (!(await reached(session, one, state, left))) {
      throw new UserError(`timed out waiting for the condition on ${kind.plural}/${name}`);
    }
    session.print(`${objectName(kind, name)} condition met\n`);
  });
}

async function reached(session: Session, chosen: Chosen, state: WantedState, leftMs: number): Promise<boolean> {
  const { kind, namespace, name, listed } = chosen;
  const uid = listed?.metadata?.uid;
  const holds = (object: KubeObject | undefined) => {
    // Of one that was listed, another one of that name is not what is waited for.
    const same = uid === undefined || object?.metadata?.uid === uid ? object : undefined;
    return state.holds(kind, same);
  };
  if (holds(await present(session, chosen, state))) return true;
  if (leftMs === 0) return false;
  const selector = { namespace, fieldSelector: `metadata.name=${escapeFieldValue(name)}` };
  return await waitUntil(session, kind, selector, holds, leftMs);
}

/** The object; undefined when it is not there, and need not be. */
async function present(session: Session, { kind, namespace, name }: Chosen, { maybeAbsent }: WantedState) {
  try {
    return await session.client().get(kind, { namespace, name });
  } catch (error) {
    if (!maybeAbsent || !isApiError(error, 'NotFound')) throw error;
    return undefined;
  }
}
