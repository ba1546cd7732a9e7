import type { ServiceDefinition } from '@grpc/grpc-js';
import { CreateRequest, ResourcesService, TransactRequest, UpdateRequest } from '@navarch/proto';
import { encodeWatch } from '../wire/responses.ts';
import { EncodedRequest } from './encoded-request.ts';

type Method = keyof typeof ResourcesService;
const methods = Object.keys(ResourcesService) as Method[];
const asIs = (encoded: Buffer): Buffer => encoded;

/** The requests that bring whole objects come as an EncodedRequest. */
const requests: { readonly [name in Method]?: (encoded: Buffer) => EncodedRequest<unknown> } = {
  create: (encoded) => new EncodedRequest(CreateRequest, encoded),
  update: (encoded) => new EncodedRequest(UpdateRequest, encoded),
  updateStatus: (encoded) => new EncodedRequest(UpdateRequest, encoded),
  transact: (encoded) => new EncodedRequest(TransactRequest, encoded),
};

/**
 * The Resources service with handlers that give encoded messages, which travel as they are. Those of `watch` are encoded when
 * the reader can take them: gRPC keeps up to 16 waiting for it.
 */
export const encodedResourcesService: ServiceDefinition = Object.fromEntries(
  methods.map((name) => {
    const method = ResourcesService[name];
    const requestDeserialize = requests[name] ?? method.requestDeserialize;
    return [name, { ...method, requestDeserialize, responseSerialize: name === 'watch' ? encodeWatch : asIs }];
  }),
);
