import { AccessService, type AccessReviewRequest } from '@navarch/proto';
import { userInfoOf } from '../access/identity-metadata.ts';
import type { ApiCalls } from '../api/api-calls.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendJson } from '../http/reply.ts';
import { badRequest } from '../http/status.ts';
import { isObject } from '../resources/manifest-body.ts';
import { readSpec, textFields, textList } from './review-spec.ts';
import type { VirtualResource } from './virtual-resource.ts';

const group = 'authorization.k8s.io';
const apiVersion = `${group}/v1`;

const specSchema = {
  type: 'object',
  properties: {
    resourceAttributes: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    nonResourceAttributes: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    user: { type: 'string' },
    groups: { type: 'array', items: { type: 'string' } },
    uid: { type: 'string' },
  },
};
const schema = { properties: { spec: specSchema, status: { type: 'object' } } };

/** Whether somebody may do something: `kubectl auth can-i`, and what programs ask that serve others. */
export function accessReviews(api: ApiCalls): readonly VirtualResource[] {
  const resource = (
    kind: string,
    scope: VirtualResource['scope'],
    description: string,
    create: (exchange: Exchange) => Promise<void>,
  ): VirtualResource => {
    const singular = kind.toLowerCase();
    return {
      group,
      version: 'v1',
      plural: `${singular}s`,
      singular,
      kind,
      scope,
      description,
      schema,
      verbs: { create },
    };
  };
  const review = (kind: string, who: 'self' | 'others' | 'local') => async (exchange: Exchange) => {
    const spec = await readSpec(exchange, { apiVersion, kind });
    const request = { user: who === 'self' ? undefined : userIn(spec), what: whatIn(spec), local: who === 'local' };
    const { target } = exchange;
    if (who === 'local' && target.type === 'resource') checkNamespace(request.what, target.namespace);
    const { allowed, reason } = await api.call(AccessService.review, request, exchange);
    await sendJson(exchange, 201, answer(kind, spec, { allowed, ...(reason !== '' && { reason }) }));
  };
  const listRules = async (exchange: Exchange) => {
    const kind = 'SelfSubjectRulesReview';
    const spec = await readSpec(exchange, { apiVersion, kind });
    const { namespace } = textFields(spec, 'spec', 'namespace');
    const { rules, problems } = await api.call(AccessService.listRules, { user: undefined, namespace }, exchange);
    const resourceRules = rules
      .filter(({ nonResourceUrls }) => nonResourceUrls.length === 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => {
        return { verbs, apiGroups, resources, ...(resourceNames.length > 0 && { resourceNames }) };
      });
    const nonResourceRules = rules
      .filter(({ nonResourceUrls }) => nonResourceUrls.length > 0)
      .map(({ verbs, nonResourceUrls }) => ({ verbs, nonResourceURLs: nonResourceUrls }));
    const problem = problems.length > 0 && { evaluationError: problems.join(', ') };
    await sendJson(
      exchange,
      201,
      answer(kind, spec, { resourceRules, nonResourceRules, incomplete: false, ...problem }),
    );
  };
  return [
    resource(
      'SelfSubjectAccessReview',
      'Cluster',
      'Asks whether one may do something.',
      review('SelfSubjectAccessReview', 'self'),
    ),
    resource(
      'SubjectAccessReview',
      'Cluster',
      'Asks whether somebody may do something.',
      review('SubjectAccessReview', 'others'),
    ),
    resource(
      'LocalSubjectAccessReview',
      'Namespaced',
      'Asks whether somebody may do something in a namespace.',
      review('LocalSubjectAccessReview', 'local'),
    ),
    resource('SelfSubjectRulesReview', 'Cluster', 'Asks what one may do in a namespace.', listRules),
  ];
}

function answer(kind: string, spec: object, status: object): object {
  return { kind, apiVersion, metadata: { creationTimestamp: null }, spec, status };
}

function whatIn(spec: Readonly<Record<string, unknown>>): AccessReviewRequest['what'] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    throw badRequest('spec must hold resourceAttributes or nonResourceAttributes, and not both');
  }
  if (nonResourceAttributes !== undefined) {
    return { $case: 'path', value: textFields(nonResourceAttributes, 'spec.nonResourceAttributes', 'verb', 'path') };
  }
  const names = ['verb', 'group', 'resource', 'subresource', 'namespace', 'name'] as const;
  return { $case: 'resource', value: textFields(resourceAttributes, 'spec.resourceAttributes', ...names) };
}

function userIn(spec: Readonly<Record<string, unknown>>) {
  const { user: username, uid } = textFields(spec, 'spec', 'user', 'uid');
  const groups = textList(spec['groups'], 'spec.groups');
  if (username === '' && groups.length === 0) throw badRequest('spec must name a user or groups');
  const extra = isObject(spec['extra']) ? spec['extra'] : {};
  const lists = Object.entries(extra).map(([key, value]) => [key, textList(value, `spec.extra.${key}`)] as const);
  return userInfoOf({ user: username, uid, groups, extra: Object.fromEntries(lists) });
}

function checkNamespace(what: AccessReviewRequest['what'], namespace: string): void {
  if (what?.$case === 'resource' && what.value.namespace === namespace) return;
  throw badRequest(`spec.resourceAttributes.namespace must be that of the path, ${namespace}`);
}
