import { Metadata } from '@grpc/grpc-js';

/**
 * In the trailing metadata of a call: one value for each warning, percent-encoded where it is not printable ASCII, or a comma,
 * since several values arrive as one with commas between them.
 */
const warningKey = 'navarch-warning';
/** Metadata is limited to some kilobytes, so only so much is said. */
const maxWarnings = 20;
const maxWarningLength = 200;

/** What a call ends with that has something to say besides its answer. */
export function warningMetadata(warnings: readonly string[], metadata = new Metadata()): Metadata {
  for (const text of warnings.slice(0, maxWarnings)) {
    const short = text.length <= maxWarningLength ? text : `${text.slice(0, maxWarningLength)}…`;
    metadata.add(warningKey, short.toWellFormed().replaceAll(/[^\x20-\x7e]|[%,]/gu, encodeURIComponent));
  }
  const more = warnings.length - maxWarnings;
  if (more > 0) metadata.add(warningKey, `and ${more} more warnings`);
  return metadata;
}

/** The warnings in a call's trailing metadata. */
export function readWarnings(metadata: Metadata): string[] {
  const values = metadata.get(warningKey).flatMap((value) => value.toString().split(/, ?/));
  return values.map((text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // another server's
    }
  });
}
