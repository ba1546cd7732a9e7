import { randomInt } from 'node:crypto';
import { pod as podKind } from '@navarch/kinds';
import type { JsonObject, Live } from '@navarch/machinery';
import { PatchRequest_Type, type Pod } from '@navarch/proto';
import { Command, Option } from 'commander';
import { chooseContainer, choosePod } from '../choose-pod.ts';
import { collect } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { readEnv } from '../set/env.ts';
import { showProgram } from '../show-program.ts';
import { untilContainerRuns } from '../until-container-runs.ts';

interface DebugFlags {
  readonly image: string;
  readonly container?: string;
  readonly target?: string;
  readonly env?: readonly string[];
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly attach?: boolean;
  readonly quiet?: boolean;
  readonly imagePullPolicy?: string;
  readonly profile: string;
}

/** What the added container may do, under kubectl's words for it. */
const profiles: Readonly<Record<string, JsonObject>> = {
  general: { capabilities: { add: ['SYS_PTRACE'] } },
  baseline: {},
  restricted: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
  },
  netadmin: { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
  sysadmin: { privileged: true },
};

const startMs = 60_000;

export const debugCommand = (run: Runner) =>
  new Command('debug')
    .description('Look into a running Pod with a container of your own')
    .argument('<pod>')
    .argument('[args...]', "after --: the program to run instead of the image's")
    .addOption(new Option('--image <image>', 'what to look with').makeOptionMandatory())
    .addOption(new Option('-c, --container <name>', 'what to call it (default: debugger-…)'))
    .addOption(new Option('--target <container>', 'see the processes of this container'))
    .addOption(new Option('--env <pair>', 'an environment variable, KEY=value').argParser(collect))
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'give the program a terminal')
    .option('--attach', 'show what it writes; with -i this is so anyway')
    .option('-q, --quiet', 'print only what the program writes')
    .addOption(
      new Option('--image-pull-policy <policy>', 'when the image is pulled').choices([
        'Always',
        'IfNotPresent',
        'Never',
      ]),
    )
    .addOption(new Option('--profile <name>', 'what it may do').choices(Object.keys(profiles)).default('general'))
    .addHelpText(
      'after',
      [
        '\nThe container stays a part of the Pod until the Pod goes: it can end, but not be taken away or started again.',
        '\nExamples:',
        '  navctl debug -it web --image=busybox --target=web',
        '  navctl debug web --image=tools --attach -- tcpdump -c 10',
      ].join('\n'),
    )
    .action(run(debug));

async function debug(session: Session, target: string, args: readonly string[], flags: DebugFlags): Promise<number> {
  const pod = await choosePod(session, target);
  const { namespace, name } = pod.metadata;
  const container = flags.container ?? `debugger-${randomName()}`;
  if (flags.tty === true && flags.stdin !== true) throw new UserError('-t needs -i');
  if (flags.target === undefined && flags.quiet !== true) {
    session.warn('Not targeting a container: to see the processes of one, name it with --target.\n');
  }
  if (flags.container === undefined && flags.quiet !== true)
    session.print(`Defaulting debug container name to ${container}.\n`);
  const patch = JSON.stringify({
    spec: { ephemeralContainers: [ephemeralContainer(session, pod, container, args, flags)] },
  });
  await session
    .client()
    .patch(
      podKind,
      { namespace, name },
      { type: PatchRequest_Type.STRATEGIC, patch, subresource: 'ephemeralcontainers' },
    );
  if (flags.stdin !== true && flags.attach !== true) return 0;
  const running = await untilContainerRuns(session, { namespace, name, container }, startMs);
  return await showProgram(session, running, container, flags);
}

function ephemeralContainer(
  session: Session,
  pod: Live<Pod>,
  name: string,
  args: readonly string[],
  { image, target, env = [], stdin, tty, imagePullPolicy, profile }: DebugFlags,
): JsonObject {
  const variables = [...readEnv(env)].map(([key, value]) => {
    if (value === undefined) throw new UserError(`--env: "${key}-" must be KEY=value`);
    return { name: key, ...value };
  });
  const securityContext = profiles[profile] ?? {};
  return {
    name,
    image,
    ...(target !== undefined && { targetContainerName: chooseContainer(session, pod, target) }),
    ...(args.length > 0 && { command: [...args] }),
    ...(variables.length > 0 && { env: variables }),
    ...(stdin === true && { stdin }),
    ...(tty === true && { tty }),
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    ...(Object.keys(securityContext).length > 0 && { securityContext }),
  };
}

/** Of letters that can't be taken for one another. */
function randomName(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}
