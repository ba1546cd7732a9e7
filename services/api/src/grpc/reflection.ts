import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { descriptorSet } from '@navarch/proto';

/** What others may find out about by asking the server. The rest of the contract is not served here. */
const services = ['Resources', 'Cluster', 'Pods', 'Metrics'].map((name) => `navarch.api.v1.${name}`);

/** Server reflection (v1 and v1alpha), so that grpcurl and its like can call the api without proto files. */
export function addReflection(server: Server): void {
  const { file: files } = fromBinary(FileDescriptorSetSchema, descriptorSet);
  // Comments make up most of the set, and reflection has no use for them.
  const fileDescriptorProtos = files.map((file) => {
    delete file.sourceCodeInfo;
    return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
  });
  // The package's types want proto-loader's form of a package; it reads nothing of that but this field, hence the cast.
  const definition = { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos };
  new ReflectionService({ navarch: definition as never }, { services }).addToServer(server);
}
