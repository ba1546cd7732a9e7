import type { DescField, DescFile, DescMessage } from '@bufbuild/protobuf';

const commentsByFile = new WeakMap<DescFile, ReadonlyMap<string, string>>();

/** The comment above a message or field, its lines joined into one paragraph. */
export function commentOf(descriptor: DescMessage | DescField): string {
  const file = descriptor.kind === 'message' ? descriptor.file : descriptor.parent.file;
  let comments = commentsByFile.get(file);
  if (comments === undefined) {
    comments = readComments(file);
    commentsByFile.set(file, comments);
  }
  return comments.get(pathOf(descriptor).join('.')) ?? '';
}

function readComments(file: DescFile): ReadonlyMap<string, string> {
  const locations = file.proto.sourceCodeInfo?.location ?? [];
  return new Map(
    locations
      .filter(({ leadingComments }) => leadingComments !== '')
      .map(({ path, leadingComments }) => [path.join('.'), leadingComments.trim().replaceAll(/\s*\n\s*/g, ' ')]),
  );
}

/** Where a descriptor stands in its file, in SourceCodeInfo's numbers: message_type is 4, nested_type 3, field 2. */
function pathOf(descriptor: DescMessage | DescField): readonly number[] {
  if (descriptor.kind === 'field') {
    return [...pathOf(descriptor.parent), 2, descriptor.parent.proto.field.indexOf(descriptor.proto)];
  }
  const { parent, file } = descriptor;
  return parent === undefined
    ? [4, file.proto.messageType.indexOf(descriptor.proto)]
    : [...pathOf(parent), 3, parent.proto.nestedType.indexOf(descriptor.proto)];
}
