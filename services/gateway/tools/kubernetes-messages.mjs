// Writes src/protobuf/kubernetes-messages.ts: how the Kubernetes API numbers the fields of its messages, for reading what clients
// send as application/vnd.kubernetes.protobuf. Programs that are built with k8s.io/api, such as kubectl, carry the
// descriptors of its generated.proto files, compressed; they are read from there.
//   node services/gateway/tools/kubernetes-messages.mjs /usr/bin/kubectl
import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync, constants } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

/** The groups of what can be sent, and what clients send besides objects. */
const groups =
  /^k8s\.io\/api\/(core|apps|batch|autoscaling|policy|rbac|coordination|discovery|scheduling|authentication|authorization|events)\/v[12]\/|^k8s\.io\/apimachinery\/pkg\/(apis\/meta\/v1|api\/resource|util\/intstr|runtime)\//;
const gzipHeader = Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0]);

const program = process.argv[2];
if (!program) throw new Error('usage: node kubernetes-messages.mjs PROGRAM');
const bytes = await readFile(program);
/** @type {Map<string, string>} */
const messages = new Map();
for (let at = bytes.indexOf(gzipHeader); at >= 0; at = bytes.indexOf(gzipHeader, at + 1)) {
  const file = readDescriptor(bytes.subarray(at, at + 1_000_000));
  if (!file || !groups.test(file.name)) continue;
  for (const message of file.messageType)
    messages.set(shortName(`.${file.package}.${message.name}`), fieldsOf(message));
}
const lines = [...messages]
  .filter(([name, fields]) => fields !== '' && !name.endsWith('List'))
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, fields]) => `  '${name}':\n    '${fields}',\n`);
await writeFile(
  new URL('../src/protobuf/kubernetes-messages.ts', import.meta.url),
  `// Made by tools/kubernetes-messages.mjs from the descriptors of k8s.io/api and k8s.io/apimachinery (Apache-2.0).

/**
 * The fields of each message of the Kubernetes API, as "number name type": s is text, i a whole number, b a boolean, d a number,
 * y bytes; others are messages. A * before it says that there may be several, a % that they are the values of a map.
 */
// biome-ignore format: a line a message
export const kubernetesMessages: Readonly<Record<string, string>> = {
${lines.join('')}};
`,
);

/** @param {Buffer} start */
function readDescriptor(start) {
  try {
    // What follows the compressed file is no concern of it.
    const text = gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
    const file = fromBinary(FileDescriptorProtoSchema, text);
    return file.name.endsWith('/generated.proto') ? file : undefined;
  } catch {
    return undefined; // something else that is compressed
  }
}

/** @param {import('@bufbuild/protobuf/wkt').DescriptorProto} message */
function fieldsOf(message) {
  return message.field
    .map((field) => {
      const entry = message.nestedType.find(
        (nested) => nested.options?.mapEntry && field.typeName.endsWith(`.${message.name}.${nested.name}`),
      );
      const value = entry ? entry.field.find(({ number }) => number === 2) : field;
      const mark = entry ? '%' : field.label === FieldDescriptorProto_Label.REPEATED ? '*' : '';
      return `${field.number} ${field.name} ${mark}${value ? typeOf(value) : ''}`;
    })
    .join(';');
}

/** @param {import('@bufbuild/protobuf/wkt').FieldDescriptorProto} field */
function typeOf({ type, typeName }) {
  const { STRING, BOOL, BYTES, DOUBLE, MESSAGE } = FieldDescriptorProto_Type;
  if (type === MESSAGE) return shortName(typeName);
  return type === STRING ? 's' : type === BOOL ? 'b' : type === BYTES ? 'y' : type === DOUBLE ? 'd' : 'i';
}

/** .k8s.io.api.core.v1.Pod is core.v1.Pod. @param {string} name */
function shortName(name) {
  return name.replace(/^\.k8s\.io\.(api|apimachinery\.pkg\.(apis|api|util)|apimachinery\.pkg)\./, '');
}
