import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Clock } from '@navarch/kit';
import { type LogRecord, parseLogLine } from './log-format.ts';

export interface LogOptions {
  readonly follow: boolean;
  /** Only the newest lines, this many. */
  readonly tailLines?: number | undefined;
  /** Only what was written then or later. */
  readonly sinceMs?: number | undefined;
  readonly timestamps: boolean;
  /** While it returns true, more may come. Asked at the end of the file. */
  readonly mayGrow: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

const blockBytes = 64 * 1024;
const pollMs = 100;
const newline = 0x0a;

/** What a container wrote, in the order it wrote it. Goes on in the new file when the old one was moved away. */
export async function* readLog(path: string, options: LogOptions): AsyncGenerator<LogChunk, void, void> {
  const { clock, signal } = options;
  let file = await openIfThere(path);
  let position = file ? await tailPosition(file, options.tailLines) : 0;
  let rest: Buffer = Buffer.alloc(0);
  const continued = new Map<string, boolean>();
  try {
    for (;;) {
      if (signal.aborted) return;
      const block = file ? await readBlock(file, position) : undefined;
      if (block && block.length > 0) {
        position += block.length;
        rest = rest.length === 0 ? block : Buffer.concat([rest, block]);
        const chunks: LogChunk[] = [];
        for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
          const record = parseLogLine(rest.subarray(0, end));
          rest = rest.subarray(end + 1);
          if (record && isWanted(record, options.sinceMs)) chunks.push(format(record, options.timestamps, continued));
        }
        yield* joined(chunks);
        continue;
      }
      if (!options.follow) return;
      // Asked before looking for more, so that the last words of a container are not missed.
      const growing = await options.mayGrow();
      const moved = await movedAway(path, file);
      if (moved) {
        // Once there is a new file nothing more comes to the old one; but something may have come since it was read.
        if (file && (await file.stat()).size > position) {
          await moved.close();
          continue;
        }
        await file?.close();
        file = moved;
        position = 0;
        rest = Buffer.alloc(0);
        continue;
      }
      if (!growing && (!file || (await file.stat()).size <= position)) return;
      await clock.sleep(pollMs, signal).catch(() => undefined);
    }
  } finally {
    await file?.close();
  }
}

function isWanted({ time }: LogRecord, sinceMs: number | undefined): boolean {
  return sinceMs === undefined || Date.parse(time) >= sinceMs;
}

function format(record: LogRecord, timestamps: boolean, continued: Map<string, boolean>): LogChunk {
  const goesOn = continued.get(record.stream) ?? false;
  continued.set(record.stream, record.partial);
  const parts = [record.content];
  if (timestamps && !goesOn) parts.unshift(Buffer.from(`${record.time} `));
  if (!record.partial) parts.push(Buffer.from('\n'));
  return { stream: record.stream, data: parts.length === 1 ? record.content : Buffer.concat(parts) };
}

/** Neighbours of one stream as one chunk: a message a line would cost more than its bytes. */
function* joined(chunks: readonly LogChunk[]): Iterable<LogChunk> {
  let group: LogChunk[] = [];
  for (const chunk of chunks) {
    if (group[0] && group[0].stream !== chunk.stream) {
      yield { stream: group[0].stream, data: Buffer.concat(group.map(({ data }) => data)) };
      group = [];
    }
    group.push(chunk);
  }
  if (group[0]) yield { stream: group[0].stream, data: Buffer.concat(group.map(({ data }) => data)) };
}

/** Where the last `lines` whole lines begin. */
async function tailPosition(file: FileHandle, lines: number | undefined): Promise<number> {
  if (lines === undefined) return 0;
  const { size } = await file.stat();
  if (lines === 0) return size;
  let wanted = lines;
  let end = size;
  let pending: Buffer = Buffer.alloc(0);
  let position = size;
  while (end > 0) {
    const start = Math.max(0, end - blockBytes);
    const block = Buffer.alloc(end - start);
    await file.read(block, 0, block.length, start);
    pending = Buffer.concat([block, pending]);
    // Records are looked at from the last to the first; the first of the block may begin before it.
    for (let close = pending.lastIndexOf(newline); close >= 0; close = pending.lastIndexOf(newline)) {
      const before = close === 0 ? -1 : pending.lastIndexOf(newline, close - 1);
      if (before < 0 && start > 0) break;
      const record = parseLogLine(pending.subarray(before + 1, close));
      if (record && !record.partial) {
        if (wanted === 0) return position;
        wanted -= 1;
      }
      position = start + before + 1;
      pending = pending.subarray(0, before + 1);
    }
    end = start;
  }
  return position;
}

async function readBlock(file: FileHandle, position: number): Promise<Buffer> {
  const block = Buffer.alloc(blockBytes);
  const { bytesRead } = await file.read(block, 0, blockBytes, position);
  return block.subarray(0, bytesRead);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file that now stands at `path`, when it is another one. */
async function movedAway(path: string, file: FileHandle | undefined): Promise<FileHandle | undefined> {
  const there = await stat(path).catch(() => undefined);
  if (!there) return undefined;
  if (file && (await file.stat()).ino === there.ino) return undefined;
  return openIfThere(path);
}
