import { drained } from '@navarch/kit';
import type { Readable, Writable } from 'node:stream';
import type { FrameStream } from './frame-stream.ts';

/** Sends what a program writes, until it has no more to say. */
export async function pass(source: Readable, name: 'stdout' | 'stderr', stream: FrameStream): Promise<void> {
  try {
    // The program waits while the far side is slow: what is between them is full.
    for await (const data of source) await stream.send({ $case: name, value: data as Buffer });
  } catch (error) {
    // The stream was closed with the program; what it had written has been passed on.
    if (!source.destroyed) throw error;
  }
}

interface Fed {
  readonly stdin: Writable | undefined;
  resize(columns: number, rows: number): Promise<void>;
}

/** Gives a program what the far side sends, at the program's pace, until the far side has no more or the program takes none. */
export async function feed(stream: FrameStream, program: Fed): Promise<void> {
  const { stdin } = program;
  stdin?.on('error', () => {}); // the program closed its input: what still comes has no reader
  for await (const frame of stream.frames) {
    if (frame.$case === 'stdinEnd') stdin?.end();
    else if (frame.$case === 'resize')
      await program.resize(frame.value.width, frame.value.height).catch(() => undefined);
    else if (frame.$case === 'stdin' && stdin?.writable && !stdin.write(frame.value)) await drained(stdin);
  }
}
