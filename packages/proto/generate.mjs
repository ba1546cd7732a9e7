// Generates packages/proto/src from /proto: TypeScript stubs, an index, and the descriptor set (with comments) as a module.
// Skips the work when nothing changed since the last run.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const out = join(here, 'src');
const stamp = join(out, '.stamp');
const bin = (name) => join(root, 'node_modules/.bin', name);

const files = globSync('**/*.proto', { cwd: join(root, 'proto') }).sort();
const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
for (const file of files) hash.update(file).update(readFileSync(join(root, 'proto', file)));
const digest = hash.digest('hex');
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) process.exit(0);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const options = [
  'esModuleInterop=true',
  'importSuffix=.ts',
  'forceLong=bigint',
  'oneof=unions-value',
  'outputServices=grpc-js',
  'outputTypeAnnotations=static-only',
  'useExactTypes=false',
  'exportCommonSymbols=false',
  'useOptionals=none',
  'removeEnumPrefix=true',
  'unrecognizedEnum=true',
  'enumsAsLiterals=true',
  'typePrefix=',
];
const descriptors = join(out, 'descriptors.binpb');
execFileSync(
  bin('protoc'),
  [
    `--plugin=protoc-gen-ts_proto=${bin('protoc-gen-ts_proto')}`,
    `--ts_proto_out=${out}`,
    `--ts_proto_opt=${options.join(',')}`,
    `--descriptor_set_out=${descriptors}`,
    '--include_imports',
    '--include_source_info',
    `-I${join(root, 'proto')}`,
    ...files,
  ],
  { stdio: 'inherit' },
);

const generated = globSync('**/*.ts', { cwd: out }).sort();
for (const file of generated) makeStrict(join(out, file));
for (const file of generated) if (file.startsWith('navarch/')) letReadersKnowSpecs(join(out, file));
const modules = generated.filter((file) => !file.startsWith('google/protobuf/'));
// Kinds and the api are exported flat; the protocols of etcd and CRI, whose names are their own, as a namespace each.
const lines = modules.map((file) => {
  if (file.startsWith('navarch/')) return `export * from './${file}';`;
  if (file === 'google/rpc/status.ts') return `export * as rpc from './${file}';`;
  return `export * as ${file.split('/')[0]} from './${file}';`;
});
const encoded = readFileSync(descriptors).toString('base64');
rmSync(descriptors);
writeFileSync(
  join(out, 'descriptors.ts'),
  `/** The FileDescriptorSet of everything under /proto, with comments. */\nexport const descriptorSet: Uint8Array = Buffer.from(\n  '${encoded}',\n  'base64',\n);\n`,
);
writeFileSync(join(out, 'index.ts'), `${lines.join('\n')}\nexport { descriptorSet } from './descriptors.ts';\n`);
writeFileSync(stamp, digest);

/**
 * Makes generated decoders refuse what protobuf forbids. As generated, a tag of 0 or the end of a group that never began
 * silently ends a message, and a field may reach beyond the message that holds it; what follows is then read as something
 * that nobody wrote. And in Navarch's own messages text that is not UTF-8 is refused too, instead of being changed into
 * other text. (What containers say about themselves through CRI is not ours to refuse.)
 * @param {string} file
 */
function makeStrict(file) {
  const text = readFileSync(file, 'utf8');
  const strayEnd = /if \(\(tag & 7\) === 4 \|\| tag === 0\) \{\s*break;\s*\}/g;
  const loopEnd = /(reader\.skip\(tag & 7\);\s*\}\n)(\s*)return message;/g;
  const decoders = text.match(/const end = length === undefined/g)?.length ?? 0;
  const found = [strayEnd, loopEnd].map((pattern) => text.match(pattern)?.length ?? 0);
  if (found.some((count) => count !== decoders)) {
    throw new Error(
      `${file}: ts-proto writes decoders differently now: ${decoders} of them, but ${found.join(' and ')}`,
    );
  }
  const refused = (why) => `throw new globalThis.Error("${why}");`;
  const ours = !/^(cri|containerd|containerdevents|etcd)\//.test(relative(out, file));
  const strict = text
    .replaceAll('reader.string()', ours ? 'reader.string(true)' : 'reader.string()')
    .replaceAll(strayEnd, `if ((tag & 7) === 4 || tag >>> 3 === 0) { ${refused('a tag is invalid')} }`)
    .replaceAll(loopEnd, (_, loop, indent) => {
      const check = `if (reader.pos !== end) { ${refused('a field reaches beyond its message')} }`;
      return `${loop}${indent}${check}\n${indent}return message;`;
    });
  writeFileSync(file, strict);
}

/**
 * Makes generated decoders ask their reader whether it knows an object's spec already, as the api's does: Pods of one
 * ReplicaSet have the same, and nothing takes longer to decode. A reader without `spec` has it decoded as ever.
 * @param {string} file
 */
function letReadersKnowSpecs(file) {
  const decoder = /  decode\(input: BinaryReader \| Uint8Array, length\?: number\): (\w+) \{[^]*?\n  \},\n/g;
  const spec = /message\.spec = (\w+Spec)\.decode\(reader, reader\.uint32\(\)\);/;
  const knowing = (/** @type {string} */ decode, /** @type {string} */ message) =>
    decode.replace(spec, (read, codec) =>
      read.replace(`${codec}.decode`, `(reader as any).spec?.(${message}.$type, ${codec}) ?? ${codec}.decode`),
    );
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(decoder, knowing));
}
