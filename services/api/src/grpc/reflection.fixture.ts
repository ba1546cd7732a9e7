/** For tests: a reflection client, as grpcurl is one. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
}

/** The services that a server names, and the files that describe one of them. */
export async function reflect(address: string, symbol: string): Promise<{ services: string[]; files: string[] }> {
  const entry = createRequire(import.meta.url).resolve('@grpc/reflection');
  const proto = join(dirname(entry), '../proto/grpc/reflection/v1/reflection.proto');
  const loaded = loadPackageDefinition(loadSync(proto)) as unknown as {
    grpc: { reflection: { v1: { ServerReflection: ServiceClientConstructor } } };
  };
  const client = new loaded.grpc.reflection.v1.ServerReflection(address, credentials.createInsecure());
  const stream = client['ServerReflectionInfo']?.();
  const services: string[] = [];
  const files: string[] = [];
  stream.write({ listServices: '' });
  stream.write({ fileContainingSymbol: symbol });
  stream.end();
  for await (const answer of stream as AsyncIterable<Answer>) {
    services.push(...(answer.listServicesResponse?.service ?? []).map(({ name }) => name));
    for (const bytes of answer.fileDescriptorResponse?.fileDescriptorProto ?? []) {
      files.push(fromBinary(FileDescriptorProtoSchema, bytes).name);
    }
  }
  client.close();
  return { services, files };
}
