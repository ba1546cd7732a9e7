import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { StreamFrame } from '@navarch/proto';

export type Frame = NonNullable<StreamFrame['frame']>;

/** Frames both ways, at the pace of the slower side. */
export interface FrameStream {
  /** One reader; leaving a `for await` over it ends the stream. */
  readonly frames: AsyncGenerator<Frame, void, void>;
  /** Aborts when the far side has gone. */
  readonly signal: AbortSignal;
  /** Resolves once there is room for more. */
  send(frame: Frame): Promise<void>;
  end(): void;
}

export function frameStream(call: ClientDuplexStream<StreamFrame, StreamFrame>, outer: AbortSignal): FrameStream {
  const gone = new AbortController();
  const leave = () => gone.abort();
  for (const event of ['error', 'close', 'end']) call.once(event, leave);
  outer.addEventListener('abort', leave, { once: true });
  gone.signal.addEventListener('abort', () => outer.removeEventListener('abort', leave), { once: true });
  return {
    frames: incoming(call),
    signal: gone.signal,
    send: async (frame) => {
      if (gone.signal.aborted || call.write({ frame })) return;
      await new Promise<void>((resolve) => {
        call.once('drain', resolve);
        gone.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    end: () => call.end(),
  };
}

async function* incoming(call: ClientDuplexStream<StreamFrame, StreamFrame>): AsyncGenerator<Frame, void, void> {
  try {
    for await (const message of call) {
      // grpc-js types a stream's messages as any; this method's deserializer makes StreamFrames.
      const { frame } = message as StreamFrame;
      if (frame) yield frame;
    }
  } catch {
    // The far side hung up: there is no more input.
  }
}
