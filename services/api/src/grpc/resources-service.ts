import type { ServiceDefinition } from '@grpc/grpc-js';
import { ResourcesService } from '@navarch/proto';

type Method = keyof typeof ResourcesService;
const methods = Object.keys(ResourcesService) as Method[];
const asIs = (encoded: Buffer): Buffer => encoded;

/** The Resources service with handlers that give encoded messages, which travel as they are. */
export const encodedResourcesService: ServiceDefinition = Object.fromEntries(
  methods.map((name) => [name, { ...ResourcesService[name], responseSerialize: asIs }]),
);
