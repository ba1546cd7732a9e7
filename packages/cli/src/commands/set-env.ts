import { text as readText } from 'node:stream/consumers';
import { configMap, secret } from '@navarch/kinds';
import { Command, Option } from 'commander';
import { chooseObjects, forEachOf } from '../choose-objects.ts';
import { collect } from '../options.ts';
import { kindNamed, objectName } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { changeContainers, namesOf, type SetFlags, withSetFlags } from '../set/change-containers.ts';
import { type EnvChanges, envFrom, envLines, envPatch, readEnv } from '../set/env.ts';
import { nameMatches, podSpecOf } from '../set/pod-spec.ts';

type EnvFlags = SetFlags & {
  readonly containers: string;
  readonly env?: readonly string[];
  readonly from?: string;
  readonly keys?: string;
  readonly prefix?: string;
  readonly list?: boolean;
  readonly overwrite: string;
};

export const setEnvCommand = (run: Runner) =>
  withSetFlags(new Command('env'))
    .description('Set or remove environment variables of containers, or list them')
    .usage('[options] TYPE/NAME…  KEY=value… KEY-…')
    .addOption(new Option('-c, --containers <name>', 'only these; * stands for any letters').default('*'))
    .addOption(new Option('-e, --env <change>', 'KEY=value or KEY-, or - to read lines from stdin').argParser(collect))
    .addOption(new Option('--from <source>', 'a variable for each key of configmap/NAME or secret/NAME'))
    .addOption(new Option('--keys <keys>', 'with --from: only these keys, as in a,b'))
    .addOption(new Option('--prefix <text>', 'with --from: put before the names of the variables'))
    .addOption(
      new Option('--overwrite [bool]', 'change variables that are there already').default('true').preset('true'),
    )
    .option('--list', 'show the variables, and change nothing')
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  navctl set env deploy/web LOG_LEVEL=debug OLD-',
        '  navctl set env deploy/web --from=configmap/settings --prefix=APP_',
        '  navctl set env deploy/web --from=secret/db --keys=password',
        '  navctl set env deploy/web --list',
        '  env | grep APP_ | navctl set env deploy/web -e -',
      ].join('\n'),
    )
    .action(run(setEnv));

async function setEnv(session: Session, args: readonly string[], flags: EnvFlags): Promise<number> {
  const first = args.findIndex((text) => text.includes('=') || text.endsWith('-'));
  const named = first < 0 ? args : args.slice(0, first);
  const texts = [...(first < 0 ? [] : args.slice(first)), ...(await flagTexts(session, flags))];
  const stated = readEnv(texts);
  if (flags.list === true) {
    if (stated.size > 0 || flags.from !== undefined) throw new UserError('--list shows, and changes nothing');
    return list(session, named, flags);
  }
  if (flags.from === undefined && (flags.keys !== undefined || flags.prefix !== undefined)) {
    throw new UserError('--keys and --prefix go with --from');
  }
  const changes: EnvChanges = new Map([...(await sourced(session, flags)), ...stated]);
  if (changes.size === 0) throw new UserError('say what to change: KEY=value, KEY-, --from or --list');
  return changeContainers(session, named, flags, {
    what: 'env',
    refuse: (containers) => {
      const meant = containers.filter(({ name }) => nameMatches(flags.containers, name));
      if (meant.length === 0) return `no container is named "${flags.containers}"; ${namesOf(containers)}`;
      if (flags.overwrite !== 'false') return undefined;
      const present = meant.flatMap(({ json }) => ((json['env'] ?? []) as { name: string }[]).map(({ name }) => name)); // as in pod.proto
      const taken = present.find((name) => changes.get(name) !== undefined);
      return taken === undefined ? undefined : `${taken} has a value already, and --overwrite is false`;
    },
    patch: ({ name, isInit }) => {
      const isMeant = nameMatches(flags.containers, name) && (!isInit || flags.containers !== '*');
      return isMeant ? { env: envPatch(changes) } : undefined;
    },
  });
}

async function flagTexts(session: Session, { env = [] }: EnvFlags): Promise<readonly string[]> {
  if (!env.includes('-')) return env;
  const lines = (await readText(session.io.stdin)).split('\n').filter((line) => line.trim() !== '' && line[0] !== '#');
  return [...env.filter((text) => text !== '-'), ...lines];
}

/** The variables that --from stands for. The object is asked for its keys; its values stay where they are. */
async function sourced(session: Session, { from, keys, prefix = '' }: EnvFlags): Promise<EnvChanges> {
  if (from === undefined) return new Map();
  const [type = '', name = '', ...more] = from.split('/');
  const kind = more.length > 0 || name === '' ? undefined : await kindNamed(session, type);
  const key = { namespace: session.namespace, name };
  let present: readonly string[];
  if (kind?.case === configMap.case) present = Object.keys((await session.client().get(configMap, key)).data);
  else if (kind?.case === secret.case) present = Object.keys((await session.client().get(secret, key)).data);
  else throw new UserError(`--from must be configmap/NAME or secret/NAME, not "${from}"`);
  const wanted = keys?.split(',') ?? present.toSorted();
  const missing = wanted.find((each) => !present.includes(each));
  if (missing !== undefined)
    throw new UserError(`${from} has no key "${missing}"; it has ${present.join(', ') || 'none'}`);
  if (wanted.length === 0) throw new UserError(`${from} is empty`);
  return envFrom(kind.case === secret.case ? 'Secret' : 'ConfigMap', name, wanted, prefix);
}

async function list(session: Session, args: readonly string[], flags: EnvFlags): Promise<number> {
  const chosen = await chooseObjects(session, args, flags);
  return forEachOf(session, chosen, async ({ kind, namespace, name }) => {
    const { containers } = podSpecOf(kind, await session.client().get(kind, { namespace, name }));
    for (const container of containers.filter((each) => nameMatches(flags.containers, each.name))) {
      session.print(`# ${objectName(kind, name)}, container ${container.name}\n`);
      for (const line of envLines(container.json)) session.print(`${line}\n`);
    }
  });
}
