import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { descriptorSet } from '@navarch/proto';

let registry: FileRegistry | undefined;

/** Everything under /proto, by name. Made when first asked for, because it costs some milliseconds. */
export function loadRegistry(): FileRegistry {
  registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  return registry;
}
