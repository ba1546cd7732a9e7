import { Command } from 'commander';
import { annotateCommand, labelCommand } from './commands/label.ts';
import { apiResourcesCommand } from './commands/api-resources.ts';
import { applyCommand } from './commands/apply.ts';
import { authCommand } from './commands/auth.ts';
import { attachCommand } from './commands/attach.ts';
import { autoscaleCommand } from './commands/autoscale.ts';
import { cordonCommand, uncordonCommand } from './commands/cordon.ts';
import { cpCommand } from './commands/cp.ts';
import { createCommand } from './commands/create.ts';
import { debugCommand } from './commands/debug.ts';
import { deleteCommand } from './commands/delete.ts';
import { describeCommand } from './commands/describe.ts';
import { diffCommand } from './commands/diff.ts';
import { drainCommand } from './commands/drain.ts';
import { editCommand } from './commands/edit.ts';
import { eventsCommand } from './commands/events.ts';
import { execCommand } from './commands/exec.ts';
import { explainCommand } from './commands/explain.ts';
import { getCommand } from './commands/get.ts';
import { exposeCommand } from './commands/expose.ts';
import { historyCommand } from './commands/history.ts';
import { kubeconfigCommand } from './commands/kubeconfig.ts';
import { logsCommand } from './commands/logs.ts';
import { metricsCommand } from './commands/metrics.ts';
import { patchCommand } from './commands/patch.ts';
import { planCommand } from './commands/plan.ts';
import { portForwardCommand } from './commands/port-forward.ts';
import { rebalanceCommand } from './commands/rebalance.ts';
import { replaceCommand } from './commands/replace.ts';
import { rolloutCommand } from './commands/rollout.ts';
import { runCommand } from './commands/run.ts';
import { scaleCommand } from './commands/scale.ts';
import { setCommand } from './commands/set.ts';
import { storageCommand } from './commands/storage.ts';
import { topCommand } from './commands/top.ts';
import { taintCommand } from './commands/taint.ts';
import { undoCommand } from './commands/undo.ts';
import { versionCommand } from './commands/version.ts';
import { waitCommand } from './commands/wait.ts';
import { whyCommand } from './commands/why.ts';
import type { Action, CommandFactory, Runner } from './runner.ts';
import type { Io, Session } from './session.ts';

/** How a command gets its session from the options that all commands share. */
export type Connect = (options: GlobalOptions) => Session;

interface GlobalOptions {
  readonly server?: string;
  readonly namespace?: string;
}

/** All commands, under the headings that help shows them by. */
const groups: Readonly<Record<string, readonly CommandFactory[]>> = {
  'Looking:': [getCommand, describeCommand, logsCommand, eventsCommand, topCommand, whyCommand],
  'Manifests:': [applyCommand, planCommand, diffCommand, createCommand, replaceCommand, deleteCommand, explainCommand],
  'Making and changing:': [
    runCommand,
    exposeCommand,
    scaleCommand,
    autoscaleCommand,
    setCommand,
    editCommand,
    patchCommand,
    labelCommand,
    annotateCommand,
  ],
  'Rollouts, and going back:': [rolloutCommand, waitCommand, historyCommand, undoCommand],
  'Inside a container:': [execCommand, attachCommand, portForwardCommand, debugCommand, cpCommand],
  'The cluster:': [
    cordonCommand,
    uncordonCommand,
    drainCommand,
    taintCommand,
    rebalanceCommand,
    metricsCommand,
    storageCommand,
    authCommand,
    kubeconfigCommand,
    apiResourcesCommand,
    versionCommand,
  ],
};

const introduction = `
Objects are named TYPE NAME or TYPE/NAME, as in pod web, deploy/web and svc/web; \`navctl api-resources\` lists the types.
\`navctl COMMAND --help\` shows flags and examples.

Examples:
  navctl create deployment web --image=nginx --replicas=2 --port=80
  navctl rollout status deploy/web
  navctl expose deploy/web
  navctl get pods -w`;

/** The whole command line. `run` parses it and gives the command's exit code; throws what the command throws. */
export function buildProgram(connect: Connect, io: Io): { run(args: readonly string[]): Promise<number> } {
  let exitCode = 0;
  const runner: Runner =
    <A extends unknown[]>(action: Action<A>) =>
    async (...args: [...A, Command]) => {
      const command = args.at(-1) as Command; // commander hands it over last
      // Of a command and those that it stands under: what both know, commander gives to the upper one.
      const options = command.optsWithGlobals<GlobalOptions>();
      const result = await action(connect(options), ...([...args.slice(0, -2), options] as unknown as A));
      exitCode = typeof result === 'number' ? result : 0;
    };
  const program = new Command('navctl')
    .description("Drives a Navarch cluster: kubectl's verbs, flags and short names.")
    .option('-s, --server <address>', 'address of the api (default: NAVARCH_API, or 127.0.0.1:7400)')
    .option('-n, --namespace <name>', 'the namespace to work in (default: "default")')
    .showSuggestionAfterError(true)
    .commandsGroup('The cluster:') // where `help` stands
    .helpCommand(true)
    .addHelpText('after', introduction);
  for (const [heading, factories] of Object.entries(groups)) {
    for (const factory of factories) program.addCommand(factory(runner).helpGroup(heading));
  }
  for (const command of withDescendants(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
    });
  }
  return {
    run: async (args) => {
      if (args.length === 0) {
        program.outputHelp();
        return 0;
      }
      await program.parseAsync(args, { from: 'user' });
      return exitCode;
    },
  };
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}
