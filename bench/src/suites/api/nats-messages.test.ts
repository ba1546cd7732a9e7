import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NatsMessages } from './nats-messages.ts';

test('messages come whole and in order, however the stream is cut', () => {
  const message = fc.record({ sid: fc.integer({ min: 1, max: 999 }), payload: fc.string({ maxLength: 300 }) });
  const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), cuts, (sent, cuts) => {
      const parts = sent.map(({ sid, payload }) => `MSG a.b ${sid} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
      const stream = Buffer.from(['INFO {"a":1}\r\n', ...parts, 'PING\r\n'].join(''));
      const [heard, lines]: [unknown[], string[]] = [[], []];
      const messages = new NatsMessages(
        (sid, payload) => heard.push({ sid, payload: payload.toString() }),
        (line) => lines.push(line),
      );
      const bounds = [0, ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
      for (const [i, end] of bounds.slice(1).entries()) messages.push(stream.subarray(bounds[i], end));
      expect(heard).toEqual(sent);
      expect(lines).toEqual(['INFO {"a":1}', 'PING']);
    }),
  );
});
