import { deployment } from '@navarch/kinds';
import { escapeFieldValue, type Live } from '@navarch/machinery';
import { type Deployment, PatchRequest_Type } from '@navarch/proto';
import { Command, Option } from 'commander';
import { durationMs, wholeNumber } from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import { rolloutProgress } from '../rollout-progress.ts';
import { type Session, UserError } from '../session.ts';
import { waitUntil } from '../wait-until.ts';
import { history, undo } from './rollout-history.ts';

interface StatusOptions {
  readonly watch: string;
  readonly timeout?: number;
}

export const rolloutCommand = (run: Runner) => {
  const command = new Command('rollout').description("Follow, undo, hold or restart a Deployment's rollout");
  const add = (name: string, description: string) =>
    command.command(name).description(description).argument('<target...>', 'deploy/NAME or deploy NAME');
  add('status', 'Wait until the rollout has finished')
    .addOption(new Option('-w, --watch [bool]', 'wait for the end').default('true').preset('true'))
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(durationMs))
    .action(run(status));
  add('history', 'Show revisions')
    .addOption(new Option('--revision <number>', 'show one revision in full').argParser(wholeNumber))
    .action(
      run((session, args: readonly string[], { revision }: { revision?: number }) =>
        forEach(session, args, (target) => history(session, target, revision)),
      ),
    );
  add('undo', 'Go back to an earlier revision')
    .addOption(
      new Option('--to-revision <number>', 'to this one; the one before when 0').argParser(wholeNumber).default(0),
    )
    .action(
      run((session, args: readonly string[], { toRevision }: { toRevision: number }) =>
        forEach(session, args, (target) => undo(session, target, toRevision)),
      ),
    );
  add('restart', 'Replace all Pods').action(
    run((session, args: readonly string[]) => {
      const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date(session.io.now()).toISOString() };
      return change(session, args, { template: { metadata: { annotations } } }, 'restarted');
    }),
  );
  add('pause', 'Hold the rollout').action(
    run((session, args: readonly string[]) => change(session, args, { paused: true }, 'paused')),
  );
  add('resume', 'Let the rollout go on').action(
    run((session, args: readonly string[]) => change(session, args, { paused: false }, 'resumed')),
  );
  return command;
};

async function status(session: Session, args: readonly string[], { watch, timeout }: StatusOptions): Promise<void> {
  await forEach(session, args, async (target) => {
    const { namespace, name } = target.metadata;
    let said = '';
    const say = (object: Live<Deployment> | undefined): boolean => {
      if (object === undefined) throw new UserError(`deployment "${name}" is gone`);
      const { message, state } = rolloutProgress(object);
      if (state === 'failed') throw new UserError(message);
      if (message !== said) session.print(`${message}\n`);
      said = message;
      return state === 'done';
    };
    if (say(target) || watch === 'false') return;
    const selector = { namespace, fieldSelector: `metadata.name=${escapeFieldValue(name)}` };
    if (!(await waitUntil(session, deployment, selector, say, timeout))) {
      throw new UserError(`timed out waiting for the rollout of deployment "${name}"`);
    }
  });
}

async function change(session: Session, args: readonly string[], spec: object, done: string): Promise<void> {
  await forEach(session, args, async ({ metadata: { namespace, name } }) => {
    const patch = JSON.stringify({ spec });
    await session.client().patch(deployment, { namespace, name }, { type: PatchRequest_Type.MERGE, patch });
    session.print(`${objectName(deployment, name)} ${done}\n`);
  });
}

/** Deployments are what roll out. */
async function forEach(
  session: Session,
  args: readonly string[],
  act: (target: Live<Deployment>) => Promise<void>,
): Promise<void> {
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    if (kind.case !== 'deployment') throw new UserError(`${kind.plural} have no rollouts; Deployments do`);
    await act(await session.client().get(deployment, { namespace: session.namespace, name }));
  }
}
