import type { ServiceDefinition } from '@grpc/grpc-js';
import { ResourcesService } from '@navarch/proto';
import { encodeWatch } from '../wire/responses.ts';

type Method = keyof typeof ResourcesService;
const methods = Object.keys(ResourcesService) as Method[];
const asIs = (encoded: Buffer): Buffer => encoded;

/**
 * The Resources service with handlers that give encoded messages, which travel as they are. Those of `watch` are encoded when
 * the reader can take them: gRPC keeps up to 16 waiting for it.
 */
export const encodedResourcesService: ServiceDefinition = Object.fromEntries(
  methods.map((name) => [
    name,
    { ...ResourcesService[name], responseSerialize: name === 'watch' ? encodeWatch : asIs },
  ]),
);
