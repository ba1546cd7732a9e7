import { UserInfo } from '@navarch/proto';
import { formatTable } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { collect } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface WhoFlags {
  readonly as?: string;
  readonly asGroup?: readonly string[];
}

interface CanFlags extends WhoFlags {
  readonly list?: boolean;
  readonly allNamespaces?: boolean;
  readonly subresource?: string;
  readonly quiet?: boolean;
}

const asOption = () => new Option('--as <user>', 'as this user: jane, system:serviceaccount:shop:web');
const asGroupOption = () =>
  new Option('--as-group <group>', 'with this group; may be given several times').argParser(collect);

export const authCommand = (run: Runner) => {
  const command = new Command('auth').description('Who may do what').addHelpText('after', examples);
  command
    .command('can-i')
    .description('Whether one may do something; ends with 1 for no')
    .argument('[verb]', 'get, list, create, delete …; * for all')
    .argument('[type]', 'pods, deployments.apps, pods/web, or a path: /metrics')
    .argument('[name]')
    .addOption(asOption())
    .addOption(asGroupOption())
    .addOption(new Option('--list', 'all that one may do'))
    .addOption(new Option('--subresource <name>', 'log, scale, exec'))
    .addOption(new Option('-A, --all-namespaces', 'in all namespaces'))
    .addOption(new Option('-q, --quiet', 'say nothing'))
    .addHelpText('after', examples)
    .action(run(canI));
  command
    .command('whoami')
    .description('Who one is to the cluster')
    .addOption(asOption())
    .addOption(asGroupOption())
    .addHelpText('after', '\nExamples:\n  navctl auth whoami')
    .action(run(whoAmI));
  return command;
};

const examples = `
Examples:
  navctl auth can-i create deployments -n shop --as jane
  navctl auth can-i get pods --subresource=log --as system:serviceaccount:ci:builder
  navctl auth can-i --list --as jane -n shop`;

async function canI(
  session: Session,
  verb: string | undefined,
  type: string | undefined,
  name: string | undefined,
  flags: CanFlags,
): Promise<number> {
  if (flags.list === true) return await listRules(session, flags);
  if (verb === undefined || type === undefined) throw new UserError('say what: navctl auth can-i VERB TYPE [NAME]');
  const what = type.startsWith('/')
    ? { $case: 'path' as const, value: { verb, path: type } }
    : { $case: 'resource' as const, value: await resourceIn(session, verb, type, name ?? '', flags) };
  const { allowed, reason } = await session.client().access.review({ user: userOf(flags), what });
  if (flags.quiet !== true) {
    const why = !allowed && reason !== '' ? ` - ${reason}` : '';
    session.print(`${allowed ? 'yes' : 'no'}${why}\n`);
  }
  return allowed ? 0 : 1;
}

async function resourceIn(session: Session, verb: string, type: string, name: string, flags: CanFlags) {
  const [word = '', named = ''] = type.split('/', 2);
  const kind = word === '*' ? undefined : (await session.kinds()).byResource(word);
  const [plural = '', ...groups] = word.split('.');
  const group = word === '*' ? '*' : (kind?.group ?? groups.join('.'));
  if (kind === undefined && word !== '*') session.warn(`the cluster has no resource type "${word}"`);
  const isNamespaced = kind?.scope !== 'Cluster' && flags.allNamespaces !== true;
  return {
    verb,
    group,
    resource: kind?.plural ?? plural,
    subresource: flags.subresource ?? '',
    namespace: isNamespaced ? session.namespace : '',
    name: name || named,
  };
}

async function listRules(session: Session, flags: WhoFlags): Promise<number> {
  const { namespace } = session;
  const { rules, problems } = await session.client().access.listRules({ user: userOf(flags), namespace });
  const list = (texts: readonly string[]) => `[${texts.join(' ')}]`;
  const lines = rules.flatMap(({ resources, apiGroups, nonResourceUrls, resourceNames, verbs }) => {
    const rest = [list(nonResourceUrls), list(resourceNames), list(verbs)];
    if (resources.length === 0) return [['', ...rest]];
    return resources.flatMap((resource) =>
      apiGroups.map((group) => [group === '' ? resource : `${resource}.${group}`, ...rest]),
    );
  });
  session.print(formatTable([['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'], ...lines]));
  for (const problem of problems) session.warn(problem);
  return 0;
}

async function whoAmI(session: Session, flags: WhoFlags): Promise<void> {
  const { username, groups } = userOf(flags) ?? operator;
  session.print(
    formatTable([
      ['ATTRIBUTE', 'VALUE'],
      ['Username', username],
      ['Groups', `[${groups.join(' ')}]`],
    ]),
  );
  if (flags.as !== undefined) return;
  session.print(
    '\nnavctl talks to the port of the cluster itself, where everybody is its operator and may do everything.\n',
  );
}

/** Whom calls without an identity stand for. */
const operator = { username: 'system:admin', groups: ['system:masters', 'system:authenticated'] };

function userOf({ as, asGroup = [] }: WhoFlags): UserInfo | undefined {
  if (as === undefined) {
    if (asGroup.length > 0) throw new UserError("--as-group needs --as: a group is somebody's");
    return undefined;
  }
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(as) ?? [];
  const own = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  return UserInfo.fromPartial({ username: as, groups: [...own, ...asGroup, 'system:authenticated'] });
}
