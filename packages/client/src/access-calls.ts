import {
  AccessReviewRequest,
  type AccessReviewResponse,
  AccessService,
  type IssueCertificateRequest,
  type IssueCertificateResponse,
  ListRulesRequest,
  type ListRulesResponse,
  RequestTokenRequest,
  type RequestTokenResponse,
} from '@navarch/proto';
import type { CallOptions } from './client.ts';
import type { Connection } from './connection.ts';

/** Who may do what, and what they prove who they are with. */
export interface AccessCalls {
  review(request: Partial<AccessReviewRequest>, options?: CallOptions): Promise<AccessReviewResponse>;
  listRules(request: Partial<ListRulesRequest>, options?: CallOptions): Promise<ListRulesResponse>;
  /** A token of a ServiceAccount: a secret. */
  requestToken(request: Partial<RequestTokenRequest>, options?: CallOptions): Promise<RequestTokenResponse>;
  issueCertificate(request: IssueCertificateRequest, options?: CallOptions): Promise<IssueCertificateResponse>;
}

export function accessCalls(connection: Connection): AccessCalls {
  const { review, listRules, requestToken, issueCertificate } = AccessService;
  return {
    review: (request, options = {}) => connection.read(review, AccessReviewRequest.fromPartial(request), options),
    listRules: (request, options = {}) => connection.read(listRules, ListRulesRequest.fromPartial(request), options),
    requestToken: (request, options = {}) =>
      connection.unary(requestToken, RequestTokenRequest.fromPartial(request), options),
    issueCertificate: (request, options = {}) => connection.unary(issueCertificate, request, options),
  };
}
