import { accessGroup, builtinKinds, type KindDefinition, namespace, node, pod, secret } from '@navarch/kinds';
import { ClusterRole, ClusterRoleBinding, PolicyRule } from '@navarch/proto';

/**
 * The roles that every cluster has, and who has them: those of Kubernetes that mean something here. Source:
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
 */

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };

const reading = ['get', 'list', 'watch'];
const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** What limits a namespace, or is made for it by the cluster, is not changed by those who work in it. */
const lookedAtOnly = ['resourcequotas', 'limitranges', 'endpointslices', 'controllerrevisions', 'events'];

const namespaced = builtinKinds.all.filter(({ scope, group }) => scope === 'Namespaced' && group !== accessGroup);
const shown = namespaced.filter(({ confidential }) => !confidential);
const changeable = namespaced.filter(({ plural }) => !lookedAtOnly.includes(plural));
const subresources = (kinds: readonly KindDefinition[]) =>
  kinds.flatMap(({ group, plural, hasStatus, scale }) => [
    ...(hasStatus ? [{ group, resource: `${plural}/status` }] : []),
    ...(scale === undefined ? [] : [{ group, resource: `${plural}/scale` }]),
  ]);
const plain = (kinds: readonly KindDefinition[]) => kinds.map(({ group, plural }) => ({ group, resource: plural }));
const scales = subresources(changeable).filter(({ resource }) => resource.endsWith('/scale'));
const ofPods = (...names: string[]) => names.map((name) => ({ group: '', resource: `${pod.plural}/${name}` }));

/** One rule for each group. */
function rules(verbs: readonly string[], resources: readonly { group: string; resource: string }[]): PolicyRule[] {
  return [...Map.groupBy(resources, ({ group }) => group)].map(([group, each]) =>
    PolicyRule.fromPartial({ verbs: [...verbs], apiGroups: [group], resources: each.map(({ resource }) => resource) }),
  );
}

const all = [
  PolicyRule.fromPartial({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
  PolicyRule.fromPartial({ verbs: ['*'], nonResourceUrls: ['*'] }),
];

const healthPaths = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const discoveryPaths = [...healthPaths, '/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'];
const issuerPaths = [
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/',
  '/openid/v1/jwks',
  '/openid/v1/jwks/',
];
const getting = (nonResourceUrls: string[]) => [PolicyRule.fromPartial({ verbs: ['get'], nonResourceUrls })];

const viewing = rules(reading, [
  ...plain([...shown, namespace]),
  ...subresources([...shown, namespace]),
  ...ofPods('log'),
]);
const editing = [
  ...rules(writing, [...plain(changeable), ...scales]),
  ...rules(reading, [...plain([secret]), ...ofPods('attach', 'exec', 'portforward')]),
  ...rules(['create'], [...ofPods('attach', 'exec', 'portforward', 'eviction'), { group: '', resource: 'events' }]),
  ...rules(['create'], [{ group: '', resource: 'serviceaccounts/token' }]),
  ...rules(['impersonate'], [{ group: '', resource: 'serviceaccounts' }]),
];
const administering = [
  ...rules(
    [...reading, ...writing],
    ['roles', 'rolebindings'].map((resource) => ({ group: accessGroup, resource })),
  ),
  ...rules(['create'], [{ group: 'authorization.k8s.io', resource: 'localsubjectaccessreviews' }]),
];
const measuring = rules(
  reading,
  plain([pod, node]).map(({ resource }) => ({ group: 'metrics.k8s.io', resource })),
);

const review = (group: string, ...resources: string[]) =>
  rules(
    ['create'],
    resources.map((resource) => ({ group, resource })),
  );

const roles: readonly { name: string; rules: PolicyRule[]; partOf?: string[]; members?: string[] }[] = [
  { name: 'cluster-admin', rules: all, members: ['system:masters'] },
  { name: 'system:discovery', rules: getting(discoveryPaths), members: ['system:authenticated'] },
  {
    name: 'system:public-info-viewer',
    rules: getting(healthPaths),
    members: ['system:authenticated', 'system:unauthenticated'],
  },
  {
    name: 'system:basic-user',
    rules: [
      ...review('authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
      ...review('authentication.k8s.io', 'selfsubjectreviews'),
    ],
    members: ['system:authenticated'],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: getting(issuerPaths),
    members: ['system:serviceaccounts'],
  },
  {
    name: 'system:monitoring',
    rules: getting(['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/*', '/readyz', '/readyz/*']),
    members: ['system:monitoring'],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      ...review('authentication.k8s.io', 'tokenreviews'),
      ...review('authorization.k8s.io', 'subjectaccessreviews'),
    ],
  },
  { name: 'system:aggregate-to-view', rules: viewing, partOf: ['view'] },
  { name: 'system:aggregate-to-edit', rules: editing, partOf: ['edit'] },
  { name: 'system:aggregate-to-admin', rules: administering, partOf: ['admin'] },
  { name: 'system:aggregated-metrics-reader', rules: measuring, partOf: ['view', 'edit', 'admin'] },
];

const partOf = (role: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' });

/** Put together from others, those that users label so among them; each has what the one before it has. */
const aggregated = [
  { name: 'view', partOf: ['edit'], from: ['view'] },
  { name: 'edit', partOf: ['admin'], from: ['edit', 'view'] },
  { name: 'admin', partOf: [], from: ['admin', 'edit', 'view'] },
];

const labelled = (parts: readonly string[]) =>
  Object.assign({}, labels, ...parts.map(partOf)) as Record<string, string>;

export const defaultClusterRoles: readonly ClusterRole[] = [
  ...roles.map((each) =>
    ClusterRole.fromPartial({
      metadata: { name: each.name, labels: labelled(each.partOf ?? []), annotations },
      rules: each.rules,
    }),
  ),
  ...aggregated.map((each) =>
    ClusterRole.fromPartial({
      metadata: { name: each.name, labels: labelled(each.partOf), annotations },
      aggregationRule: { clusterRoleSelectors: each.from.map((role) => ({ matchLabels: partOf(role) })) },
    }),
  ),
];

export const defaultClusterRoleBindings: readonly ClusterRoleBinding[] = roles.flatMap(({ name, members = [] }) =>
  members.length === 0
    ? []
    : ClusterRoleBinding.fromPartial({
        metadata: { name, labels, annotations },
        roleRef: { apiGroup: accessGroup, kind: 'ClusterRole', name },
        subjects: members.map((member) => ({ kind: 'Group', apiGroup: accessGroup, name: member })),
      }),
);
