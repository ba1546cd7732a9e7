import { createDeflate, constants } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dictionary } from './dictionary.ts';
import { FrameReader } from './frame-reader.ts';
import { encodeFrame, type Frame, SpdyError } from './frames.ts';
import { encodePairs, HeaderPacker, type Headers, HeaderUnpacker } from './header-block.ts';

const id = fc.integer({ min: 1, max: 0x7fff_ffff });
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array));
const frame = fc.oneof(
  fc.record({ type: fc.constant('data' as const), streamId: id, data: bytes, fin: fc.boolean() }),
  fc.record({
    type: fc.constantFrom('synStream' as const, 'synReply' as const, 'headers' as const),
    streamId: id,
    fin: fc.boolean(),
    block: bytes,
  }),
  fc.record({ type: fc.constant('rstStream' as const), streamId: id, status: word }),
  fc.record({ type: fc.constant('ping' as const), id: word }),
  fc.record({ type: fc.constant('goAway' as const), lastStreamId: id, status: word }),
  fc.record({ type: fc.constant('windowUpdate' as const), streamId: id, delta: id }),
);

/** Pieces of one data frame, which come as they came, put together again. */
function joined(frames: readonly Frame[]): Frame[] {
  const out: Frame[] = [];
  for (const frame of frames) {
    const last = out.at(-1);
    if (frame.type === 'data' && last?.type === 'data' && last.streamId === frame.streamId && !last.fin) {
      out[out.length - 1] = { ...frame, data: Buffer.concat([last.data, frame.data]) };
    } else out.push(frame);
  }
  return out;
}

test('frames come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 700 })), (frames, cuts) => {
      const all = Buffer.concat(frames.map(encodeFrame));
      const reader = new FrameReader();
      const seen: Frame[] = [];
      let position = 0;
      for (const size of [...cuts, all.length + 1]) {
        seen.push(...reader.push(all.subarray(position, position + size)));
        position += size;
      }
      expect(joined(seen)).toEqual(joined(frames));
    }),
  );
});

test.each([
  { name: 'another version', bytes: '80020001 00000004 00000001', message: 'SPDY version 2' },
  { name: 'a control frame without end', bytes: '80030001 00ffffff', message: 'at most 65536' },
  { name: 'a frame that is too short', bytes: '80030003 00000004 00000001', message: 'too short' },
])('$name is refused', ({ bytes, message }) => {
  const read = () => [...new FrameReader().push(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))];
  expect(read).toThrow(SpdyError);
  expect(read).toThrow(message);
});

function framesOrError(bytes: Buffer): unknown {
  try {
    return [...new FrameReader().push(bytes)];
  } catch (error) {
    return error;
  }
}

test('random bytes are frames or a SpdyError, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
      expect(framesOrError(Buffer.from(array))).toSatisfy((read) => read instanceof SpdyError || Array.isArray(read));
    }),
  );
});

test('a frame of the draft: PING 1', () => {
  expect(encodeFrame({ type: 'ping', id: 1 }).toString('hex')).toBe('800300060000000400000001');
});

const name = fc.stringMatching(/^[a-z][a-z-]{0,20}$/);
const value = fc.stringMatching(/^[ -~é]{0,40}$/);
const headers: fc.Arbitrary<Headers> = fc
  .uniqueArray(fc.tuple(name, fc.array(value, { minLength: 1, maxLength: 3 })), {
    selector: ([key]) => key,
    maxLength: 6,
  })
  .map((pairs) => new Map(pairs));

test('header blocks come out as they went in, one after another', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(headers, { maxLength: 5 }), async (all) => {
      const packer = new HeaderPacker();
      const unpacker = new HeaderUnpacker();
      for (const each of all) expect(await unpacker.unpack(packer.pack(each))).toEqual(each);
      unpacker.close();
    }),
  );
});

test('blocks that zlib has compressed with the dictionary are read', async () => {
  const deflate = createDeflate({ dictionary });
  const unpacker = new HeaderUnpacker();
  const compress = async (each: Headers) => {
    const chunks: Buffer[] = [];
    deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
    deflate.write(encodePairs(each));
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    deflate.removeAllListeners('data');
    return Buffer.concat(chunks);
  };
  for (let count = 0; count < 3; count++) {
    const each: Headers = new Map([
      ['streamtype', ['data']],
      ['port', [String(count)]],
    ]);
    expect(await unpacker.unpack(await compress(each))).toEqual(each);
  }
  unpacker.close();
});

test('a block ends as a flush does, which Go waits for', () => {
  expect(new HeaderPacker().pack(new Map()).subarray(-5).toString('hex')).toBe('000000ffff');
});

test('the dictionary is the one that the draft names by its checksum', () => {
  // What every implementation's first block carries: moby/spdystream, nginx and Chromium have the same.
  expect(new HeaderPacker().pack(new Map()).subarray(2, 6).toString('hex')).toBe('e3c6a7c2');
});

test('a block that unfolds to very much, or is none, is refused', async () => {
  const deflate = createDeflate({ dictionary });
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  deflate.end(Buffer.alloc(10_000_000));
  await new Promise((resolve) => deflate.once('end', resolve));
  await expect(new HeaderUnpacker().unpack(Buffer.concat(chunks))).rejects.toThrow(SpdyError);
  const unpacker = new HeaderUnpacker();
  await expect(unpacker.unpack(Buffer.from('no zlib'))).rejects.toThrow(SpdyError);
  await expect(unpacker.unpack(Buffer.from('any more'))).rejects.toThrow(SpdyError);
});
