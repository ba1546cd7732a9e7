/** One record of a container's log file. */
export interface LogRecord {
  /** RFC 3339 with nanoseconds, as it stands in the file. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The line goes on in the stream's next record: it was too long, or the program has not finished it. */
  readonly partial: boolean;
  readonly content: Buffer;
}

const space = 0x20;

/**
 * Reads one line, without its end: `2026-01-02T03:04:05.000000006Z stdout F text`. Undefined for what is none.
 * Source: the CRI log format (kubernetes/design-proposals-archive, node/kubelet-cri-logging.md).
 */
export function parseLogLine(line: Buffer): LogRecord | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first <= 0 || second < 0) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  // An empty line has no space after its tags.
  const [tag] = line.toString('latin1', second + 1, third < 0 ? line.length : third).split(':');
  if (tag !== 'F' && tag !== 'P') return undefined;
  return {
    time: line.toString('latin1', 0, first),
    stream,
    partial: tag === 'P',
    content: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}
