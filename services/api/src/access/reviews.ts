import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ApiError } from '@navarch/machinery';
import {
  type AccessReviewRequest,
  AccessReviewResponse,
  AccessService,
  type ListRulesRequest,
  ListRulesResponse,
} from '@navarch/proto';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { type Freshen, unaryKnowing } from '../grpc/calls.ts';
import { type Access, refusalText } from '../pipeline/access.ts';
import { type Caller, mastersGroup, type User } from './caller.ts';
import type { Decision } from './policy.ts';
import { asEncoded } from '../grpc/as-encoded.ts';
import type { Attributes } from './rules.ts';

export const encodedAccessService: ServiceDefinition = {
  review: { ...AccessService.review, responseSerialize: asEncoded },
  listRules: { ...AccessService.listRules, responseSerialize: asEncoded },
  requestToken: { ...AccessService.requestToken, responseSerialize: asEncoded },
  reviewToken: { ...AccessService.reviewToken, responseSerialize: asEncoded },
  issueCertificate: { ...AccessService.issueCertificate, responseSerialize: asEncoded },
  getAuthority: { ...AccessService.getAuthority, responseSerialize: asEncoded },
};

/** Answers who may do what. To ask for oneself, or for others, has to be allowed as it has in Kubernetes. */
export function reviewHandlers(parts: {
  readonly access: Access;
  readonly fresh: Freshen;
  readonly metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { access, fresh, metrics } = parts;
  const unary = unaryKnowing(fresh);
  const mayAsk = (caller: Caller, resource: string, namespace = '') => {
    const about = { group: 'authorization.k8s.io', subresource: '', namespace, name: '' };
    access.authorizeOther(caller, { ...about, verb: 'create', resource });
  };
  const decide = (subject: Caller, wanted: Attributes): Decision =>
    subject === 'component'
      ? { allowed: true, reason: 'calls without an identity are the cluster and its operator' }
      : access.policy.decide(subject, wanted);

  return {
    review: unary('Review', metrics, async (request: AccessReviewRequest, signal, { caller }) => {
      const { user, local } = request;
      const wanted = attributesIn(request);
      if (local && ('path' in wanted || wanted.namespace === '')) {
        throw new ApiError('BadRequest', 'a local review must be about a resource in a namespace');
      }
      if (user === undefined) mayAsk(caller, 'selfsubjectaccessreviews');
      else if (local && 'namespace' in wanted) mayAsk(caller, 'localsubjectaccessreviews', wanted.namespace);
      else mayAsk(caller, 'subjectaccessreviews');
      const subject = user ?? caller;
      let decision = decide(subject, wanted);
      if (!decision.allowed) {
        await fresh(signal);
        decision = decide(subject, wanted);
      }
      const isRefused = !decision.allowed && subject !== 'component';
      const refusal = isRefused ? refusalText(subject, wanted, decision.reason) : '';
      return Buffer.from(AccessReviewResponse.encode({ ...decision, refusal }).finish());
    }),
    listRules: unary('ListRules', metrics, async ({ user, namespace }: ListRulesRequest, signal, { caller }) => {
      if (namespace === '') throw new ApiError('BadRequest', 'namespace must be set');
      mayAsk(caller, user === undefined ? 'selfsubjectrulesreviews' : 'subjectaccessreviews');
      await fresh(signal);
      const subject = user ?? caller;
      const { rules, problems } = access.policy.rulesOf(subject === 'component' ? operator : subject, namespace);
      return Buffer.from(ListRulesResponse.encode({ rules: [...rules], problems: [...problems] }).finish());
    }),
  };
}

/** May do everything, as those may who call without an identity. */
const operator: User = { username: 'system:admin', uid: '', groups: [mastersGroup], extra: {} };

function attributesIn({ what }: AccessReviewRequest): Attributes {
  switch (what?.$case) {
    case 'resource': {
      const { verb, group, resource, subresource, namespace, name } = what.value;
      if (verb === '' || resource === '') throw new ApiError('BadRequest', 'resource must have a verb and a resource');
      return { verb, group, resource, subresource, namespace, name };
    }
    case 'path':
      if (what.value.verb === '' || what.value.path === '') {
        throw new ApiError('BadRequest', 'path must have a verb and a path');
      }
      return { verb: what.value.verb, path: what.value.path };
    default:
      throw new ApiError('BadRequest', 'the review must be about a resource or a path');
  }
}
