import type { JsonObject } from '@navarch/machinery';
import { parseQuantity } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { containersOf } from '../generate/containers.ts';
import { type NewFlags, sendNew } from '../generate/send-new.ts';
import { collect, dryRunOption, durationMs, fieldManagerOption, outputOption, wholeNumber } from '../options.ts';
import { readPairs } from '../pairs.ts';
import { runAndRemove } from '../run-pod.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { readEnv } from '../set/env.ts';

export interface RunFlags extends NewFlags {
  readonly image: string;
  readonly env?: readonly string[];
  readonly port?: number;
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
  readonly restart: string;
  readonly command?: boolean;
  readonly expose?: boolean;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly leaveStdinOpen?: boolean;
  readonly attach?: boolean;
  readonly rm?: boolean;
  readonly quiet?: boolean;
  readonly privileged?: boolean;
  readonly imagePullPolicy?: string;
  readonly requests?: string;
  readonly limits?: string;
  readonly podRunningTimeout: number;
}

export const runCommand = (run: Runner) =>
  new Command('run')
    .description('Run an image in a Pod')
    .argument('<name>')
    .argument('[args...]', 'after --: arguments for the image, or with --command a program and its arguments')
    .addOption(new Option('--image <image>', 'what to run').makeOptionMandatory())
    .addOption(new Option('--env <pair>', 'an environment variable, KEY=value').argParser(collect))
    .addOption(new Option('--port <port>', 'the port that the image listens on').argParser(wholeNumber))
    .addOption(new Option('-l, --labels <labels>', 'labels: app=web,tier=front (default: run=NAME)').argParser(collect))
    .addOption(new Option('--annotations <pair>', 'an annotation, key=value').argParser(collect))
    .addOption(
      new Option('--restart <policy>', 'when an ended container is started again')
        .choices(['Always', 'OnFailure', 'Never'])
        .default('Always'),
    )
    .option('--command', 'what stands after -- is the program, not arguments for the one of the image')
    .option('--expose', 'make a Service for it, too; needs --port')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'give the program a terminal')
    .option('--leave-stdin-open', 'keep its standard input open when you detach')
    .option('--attach', 'wait for it to run, and show what it writes')
    .option('--rm', 'remove the Pod in the end; needs --attach or -i')
    .option('-q, --quiet', 'print only what the program writes')
    .option('--privileged', 'give the container nearly everything the node can do')
    .addOption(
      new Option('--image-pull-policy <policy>', 'when the image is pulled').choices([
        'Always',
        'IfNotPresent',
        'Never',
      ]),
    )
    .addOption(new Option('--requests <amounts>', 'what is set aside: cpu=100m,memory=128Mi'))
    .addOption(new Option('--limits <amounts>', 'the most that may be used: cpu=500m,memory=256Mi'))
    .addOption(
      new Option('--pod-running-timeout <duration>', 'how long to wait until it runs')
        .argParser(durationMs)
        .default(60_000, '1m'),
    )
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  navctl run web --image=nginx:1.27 --port=80 --expose',
        '  navctl run -it --rm shell --image=busybox -- sh',
        '  navctl run once --image=busybox --restart=Never --attach --rm --command -- echo hello',
        '  navctl run web --image=nginx --dry-run=client -o yaml > pod.yaml',
      ].join('\n'),
    )
    .action(run(runPod));

async function runPod(session: Session, name: string, args: readonly string[], flags: RunFlags): Promise<number> {
  const follows = flags.stdin === true || flags.attach === true;
  const { rm, expose, port, tty, stdin, dryRun = 'none' } = flags;
  if (rm === true && !follows) throw new UserError('--rm waits for the end of the program; it needs --attach or -i');
  if (tty === true && stdin !== true) throw new UserError('-t needs -i');
  if (expose === true && port === undefined) throw new UserError('--expose needs --port');
  if (follows && dryRun !== 'none') throw new UserError('a dry run runs nothing; drop --attach, -i and --rm');
  if (follows && flags.output !== undefined) throw new UserError('-o excludes --attach and -i');
  const labels = flags.labels === undefined ? { run: name } : readPairs('--labels', flags.labels, 'app=web');
  const json = podJson(name, args, labels, flags);
  if (!follows) {
    await sendNew(session, json, flags);
    if (expose === true) await sendNew(session, serviceJson(name, labels, flags), flags);
    return 0;
  }
  if (expose === true) await sendNew(session, serviceJson(name, labels, flags), flags);
  return await runAndRemove(session, json, flags);
}

function podJson(name: string, args: readonly string[], labels: Record<string, string>, flags: RunFlags): JsonObject {
  const { annotations, restart, image } = flags;
  const [container] = containersOf([image], containerFields(args, flags));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels,
      ...(annotations !== undefined && { annotations: Object.fromEntries(annotations.map(readAnnotation)) }),
    },
    spec: { containers: [{ ...container, name }], restartPolicy: flags.rm === true ? 'Never' : restart },
  };
}

function containerFields(args: readonly string[], flags: RunFlags): JsonObject {
  const { port, env = [], privileged, imagePullPolicy } = flags;
  const variables = [...readEnv(env)].map(([name, value]) => {
    if (value === undefined) throw new UserError(`--env: "${name}-" must be KEY=value`);
    return { name, ...value };
  });
  const resources = {
    ...amounts('requests', flags.requests),
    ...amounts('limits', flags.limits),
  };
  return {
    ...programFields(args, flags),
    ...(port !== undefined && { ports: [{ containerPort: port }] }),
    ...(variables.length > 0 && { env: variables }),
    ...(Object.keys(resources).length > 0 && { resources }),
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    ...(privileged === true && { securityContext: { privileged } }),
  };
}

/** What the container runs. Its standard input ends with that of who attaches to it first. */
function programFields(args: readonly string[], { stdin, tty, leaveStdinOpen, command }: RunFlags): JsonObject {
  return {
    ...programWords(args, command),
    ...(stdin === true && { stdin, stdinOnce: leaveStdinOpen !== true }),
    ...(tty === true && { tty }),
  };
}

function programWords(args: readonly string[], command: boolean | undefined): JsonObject {
  if (args.length === 0) return {};
  return command === true ? { command: [...args] } : { args: [...args] };
}

function amounts(field: 'requests' | 'limits', text: string | undefined): JsonObject {
  if (text === undefined) return {};
  const pairs = readPairs(`--${field}`, [text], 'cpu=100m,memory=128Mi');
  const wrong = Object.values(pairs).find((amount) => parseQuantity(amount) === undefined);
  if (wrong !== undefined) throw new UserError(`--${field}: "${wrong}" is no quantity such as 500m, 2 or 256Mi`);
  return { [field]: pairs };
}

function readAnnotation(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UserError(`--annotations: "${text}" must be key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function serviceJson(name: string, selector: Record<string, string>, { port = 0 }: RunFlags): JsonObject {
  const ports = [{ port, protocol: 'TCP', targetPort: port }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector, ports } };
}
