import type { ExecInput } from '@navarch/client';
import type { Status } from '../http/status.ts';

/** What a client asks for of a program's streams. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** A client's side of a program's streams, in whichever protocol it speaks. */
export interface CommandStreams {
  /** What the client sends; read on only as fast as it is taken. Ends with the connection. */
  readonly input: AsyncIterable<ExecInput>;
  /** Resolves once there is room for more. Rejects when the client has gone. */
  write(name: 'stdout' | 'stderr', data: Uint8Array): Promise<void>;
  /** Says how it ended, and hangs up in good order. */
  finish(status: Status): Promise<void>;
}

/** Terminal sizes as clients write them: JSON with Width and Height. Undefined for what is none. */
export function readSize(text: string): ExecInput | undefined {
  try {
    const { Width: width, Height: height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    const isSize = (value: unknown): value is number =>
      Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65_536;
    return isSize(width) && isSize(height) ? { type: 'resize', width, height } : undefined;
  } catch {
    return undefined;
  }
}
