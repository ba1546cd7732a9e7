import { builtinKinds } from '@navarch/kinds';
import type { JsonObject } from '@navarch/machinery';
import { Option } from 'commander';
import { collect } from '../options.ts';
import { type Session, UserError } from '../session.ts';
import { type Maker, maker } from './maker.ts';

const group = 'rbac.authorization.k8s.io';
const apiVersion = `${group}/v1`;

interface RoleFlags {
  readonly verb?: readonly string[];
  readonly resource?: readonly string[];
  readonly resourceName?: readonly string[];
  readonly nonResourceUrl?: readonly string[];
  readonly aggregationRule?: string;
}

const verbOption = () => new Option('--verb <verbs>', 'what may be done: get,list,watch').argParser(collectList);
const resourceOption = () =>
  new Option('--resource <resources>', 'with what: pods, deployments.apps, pods/log').argParser(collectList);
const resourceNameOption = () =>
  new Option('--resource-name <name>', 'only with objects of this name; may be given several times').argParser(collect);

const role = maker<RoleFlags>({
  path: ['role'],
  apiVersion,
  kind: 'Role',
  description: 'Make a Role: what may be done in a namespace',
  options: () => [verbOption(), resourceOption(), resourceNameOption()],
  examples: ['role pod-reader --verb=get,list,watch --resource=pods,pods/log'],
  make: async (_name, flags, { session }) => ({ rules: await resourceRules(flags, session) }),
});

const clusterRole = maker<RoleFlags>({
  path: ['clusterrole'],
  apiVersion,
  kind: 'ClusterRole',
  description: 'Make a ClusterRole: what may be done in the cluster, or where a RoleBinding says so',
  options: () => [
    verbOption(),
    resourceOption(),
    resourceNameOption(),
    new Option('--non-resource-url <path>', 'with a path: /metrics').argParser(collectList),
    new Option('--aggregation-rule <labels>', 'of ClusterRoles with these labels it has the rules: team=a').conflicts([
      'verb',
      'resource',
      'nonResourceUrl',
    ]),
  ],
  examples: [
    'clusterrole node-reader --verb=get,list,watch --resource=nodes',
    'clusterrole scraper --verb=get --non-resource-url=/metrics',
  ],
  make: async (_name, flags, { session }) => {
    const { aggregationRule, nonResourceUrl, resource = [] } = flags;
    if (aggregationRule !== undefined) {
      const matchLabels = Object.fromEntries(aggregationRule.split(',').map((pair) => pair.split('=', 2)));
      return { rules: [], aggregationRule: { clusterRoleSelectors: [{ matchLabels }] } };
    }
    const paths = nonResourceUrl === undefined ? [] : [{ verbs: verbsOf(flags), nonResourceURLs: [...nonResourceUrl] }];
    const resources = resource.length === 0 && paths.length > 0 ? [] : await resourceRules(flags, session);
    return { rules: [...resources, ...paths] };
  },
});

interface BindingFlags {
  readonly role?: string;
  readonly clusterrole?: string;
  readonly user?: readonly string[];
  readonly group?: readonly string[];
  readonly serviceaccount?: readonly string[];
}

const subjectOptions = () => [
  new Option('--user <name>', 'a user who gets it; may be given several times').argParser(collectList),
  new Option('--group <name>', 'a group that gets it; may be given several times').argParser(collectList),
  new Option('--serviceaccount <namespace:name>', 'a ServiceAccount that gets it').argParser(collectList),
];

const roleBinding = maker<BindingFlags>({
  path: ['rolebinding'],
  apiVersion,
  kind: 'RoleBinding',
  description: 'Make a RoleBinding: who has a role in a namespace',
  options: () => [
    new Option('--role <name>', 'a Role of the namespace'),
    new Option('--clusterrole <name>', 'a ClusterRole').conflicts('role'),
    ...subjectOptions(),
  ],
  examples: [
    'rolebinding jane --clusterrole=edit --user=jane -n shop',
    'rolebinding builder --role=deployer --serviceaccount=ci:builder',
  ],
  make: (_name, flags) => {
    const { role, clusterrole } = flags;
    const name = role ?? clusterrole;
    if (name === undefined) throw new UserError('say which role: --clusterrole=edit, or --role=NAME');
    return { subjects: subjectsOf(flags), roleRef: roleRef(role === undefined ? 'ClusterRole' : 'Role', name) };
  },
});

const clusterRoleBinding = maker<BindingFlags>({
  path: ['clusterrolebinding'],
  apiVersion,
  kind: 'ClusterRoleBinding',
  description: 'Make a ClusterRoleBinding: who has a role in the whole cluster',
  options: () => [new Option('--clusterrole <name>', 'the ClusterRole'), ...subjectOptions()],
  examples: ['clusterrolebinding root --clusterrole=cluster-admin --user=jane'],
  make: (_name, flags) => {
    if (flags.clusterrole === undefined) throw new UserError('say which role: --clusterrole=view');
    return { subjects: subjectsOf(flags), roleRef: roleRef('ClusterRole', flags.clusterrole) };
  },
});

/** One rule for each group of the resources. */
async function resourceRules(flags: RoleFlags, session: Session): Promise<JsonObject[]> {
  const { resource = [], resourceName = [] } = flags;
  if (resource.length === 0) throw new UserError('say with what: --resource=pods');
  const byGroup = new Map<string, string[]>();
  for (const text of resource) {
    const found = await resourceIn(text, session);
    byGroup.set(found.group, [...(byGroup.get(found.group) ?? []), found.resource]);
  }
  const names = resourceName.length > 0 && { resourceNames: [...resourceName] };
  return [...byGroup].map(([each, resources]) => {
    return { verbs: verbsOf(flags), apiGroups: [each], resources, ...names };
  });
}

/** The group and the plural of what a user calls a resource: deploy, deployments.apps, pods/log. What is unknown is as it is written. */
async function resourceIn(text: string, session: Session): Promise<{ group: string; resource: string }> {
  const [name = '', ...sub] = text.split('/');
  const rest = sub.map((part) => `/${part}`).join('');
  if (name === '*') return { group: '*', resource: `*${rest}` };
  // Only what is not built in has to be asked for.
  const kind = builtinKinds.byResource(name) ?? (await session.kinds()).byResource(name);
  if (kind !== undefined) return { group: kind.group, resource: `${kind.plural}${rest}` };
  const [plural = '', ...groups] = name.split('.');
  return { group: groups.join('.'), resource: `${plural}${rest}` };
}

function verbsOf({ verb = [] }: RoleFlags): string[] {
  if (verb.length === 0) throw new UserError('say what may be done: --verb=get,list,watch');
  return [...verb];
}

function subjectsOf({ user = [], group: groups = [], serviceaccount = [] }: BindingFlags): JsonObject[] {
  return [
    ...user.map((name) => ({ apiGroup: group, kind: 'User', name })),
    ...groups.map((name) => ({ apiGroup: group, kind: 'Group', name })),
    ...serviceaccount.map((text) => {
      const [namespace, name, ...more] = text.split(':');
      if (!namespace || !name || more.length > 0) {
        throw new UserError(`--serviceaccount must be NAMESPACE:NAME, not "${text}"`);
      }
      return { kind: 'ServiceAccount', namespace, name };
    }),
  ];
}

function roleRef(kind: string, name: string): JsonObject {
  return { apiGroup: group, kind, name };
}

function collectList(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), ...value.split(',')];
}

export const accessMakers: readonly Maker[] = [role, clusterRole, roleBinding, clusterRoleBinding];
