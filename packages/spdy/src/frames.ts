/**
 * Frames of SPDY/3.1 as bytes. Source: SPDY Protocol, Draft 3.1, section 2.
 * https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */

/** A control frame whose header block is still compressed. */
export type ControlFrame =
  | { readonly type: 'synStream'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'synReply'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'headers'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
  | { readonly type: 'windowUpdate'; readonly streamId: number; readonly delta: number }
  /** SETTINGS, and what later versions may add: to be passed over. */
  | { readonly type: 'other'; readonly kind: number };

/** A piece of a stream. `fin` stands on the last one. */
export interface DataFrame {
  readonly type: 'data';
  readonly streamId: number;
  readonly data: Buffer;
  readonly fin: boolean;
}

export type Frame = ControlFrame | DataFrame;

export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
} as const;

const version = 3;
const controlBit = 0x8000;
const finFlag = 0x01;
/** A stream's number has 31 bits. */
export const streamIdMask = 0x7fff_ffff;
const kinds = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const;
const kindNames = new Map(Object.entries(kinds).map(([name, kind]) => [kind as number, name as keyof typeof kinds]));

export const frameHeaderBytes = 8;
/** More than any header block here takes: a few words. */
export const maxControlBytes = 64 * 1024;

/** The peer speaks something else. The connection can't go on. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

export function encodeFrame(frame: Exclude<Frame, { type: 'other' }>): Buffer {
  switch (frame.type) {
    case 'data': {
      const header = Buffer.alloc(frameHeaderBytes);
      header.writeUInt32BE(frame.streamId, 0);
      header.writeUInt32BE(frame.data.length, 4);
      header[4] = frame.fin ? finFlag : 0;
      return Buffer.concat([header, frame.data]);
    }
    case 'synStream':
      // The stream it belongs to, its priority and slot: 0.
      return control(frame.type, frame.fin, [...words(frame.streamId, 0), Buffer.alloc(2), frame.block]);
    case 'synReply':
    case 'headers':
      return control(frame.type, frame.fin, [...words(frame.streamId), frame.block]);
    case 'rstStream':
      return control(frame.type, false, words(frame.streamId, frame.status));
    case 'ping':
      return control(frame.type, false, words(frame.id));
    case 'goAway':
      return control(frame.type, false, words(frame.lastStreamId, frame.status));
    case 'windowUpdate':
      return control(frame.type, false, words(frame.streamId, frame.delta));
    default:
      return frame satisfies never;
  }
}

function control(type: keyof typeof kinds, fin: boolean, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt16BE(controlBit | version, 0);
  header.writeUInt16BE(kinds[type], 2);
  header.writeUInt32BE(body.length, 4);
  header[4] = fin ? finFlag : 0;
  return Buffer.concat([header, body]);
}

function words(...values: readonly number[]): Buffer[] {
  return values.map((value) => {
    const word = Buffer.alloc(4);
    word.writeUInt32BE(value, 0);
    return word;
  });
}

/** What the first eight bytes of a frame say. */
export type FrameHeader =
  | { readonly control: true; readonly kind: number; readonly flags: number; readonly length: number }
  | { readonly control: false; readonly streamId: number; readonly flags: number; readonly length: number };

/** Throws SpdyError. */
export function decodeHeader(bytes: Buffer): FrameHeader {
  const first = bytes.readUInt16BE(0);
  const flags = bytes.readUInt8(4);
  const length = bytes.readUIntBE(5, 3);
  if ((first & controlBit) === 0) return { control: false, streamId: bytes.readUInt32BE(0), flags, length };
  if ((first & ~controlBit) !== version) throw new SpdyError(`SPDY version ${first & ~controlBit}, where 3 is spoken`);
  if (length > maxControlBytes) throw new SpdyError(`a control frame of ${length} bytes; at most ${maxControlBytes}`);
  return { control: true, kind: bytes.readUInt16BE(2), flags, length };
}

export function isFin(flags: number): boolean {
  return (flags & finFlag) !== 0;
}

/** Throws SpdyError. */
export function decodeControl(kind: number, flags: number, body: Buffer): ControlFrame {
  const type = kindNames.get(kind);
  if (type === undefined) return { type: 'other', kind };
  const word = (index: number) => {
    if (body.length < (index + 1) * 4) throw new SpdyError(`a ${type} frame of ${body.length} bytes is too short`);
    return body.readUInt32BE(index * 4);
  };
  const streamId = word(0) & streamIdMask;
  const fin = isFin(flags);
  switch (type) {
    case 'synStream':
      word(1);
      return { type, streamId, fin, block: body.subarray(10) };
    case 'synReply':
    case 'headers':
      return { type, streamId, fin, block: body.subarray(4) };
    case 'rstStream':
      return { type, streamId, status: word(1) };
    case 'ping':
      return { type, id: word(0) };
    case 'goAway':
      return { type, lastStreamId: streamId, status: word(1) };
    case 'windowUpdate':
      return { type, streamId, delta: word(1) & streamIdMask };
    default:
      return type satisfies never;
  }
}
