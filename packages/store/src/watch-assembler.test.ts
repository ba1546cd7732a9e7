import { etcd } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lines } from './observe.fixture.ts';
import type { WatchBatch } from './store.ts';
import { RevisionGap, WatchAssembler } from './watch-assembler.ts';

const event = (revision: number, key: string): etcd.Event =>
  etcd.Event.fromPartial({
    kv: { key: Buffer.from(key), value: Buffer.from('v'), createRevision: 1n, modRevision: BigInt(revision) },
  });
const response = (events: etcd.Event[], more: Partial<etcd.WatchResponse> = {}) =>
  etcd.WatchResponse.fromPartial({ events, ...more });

function assemble(assembler: WatchAssembler, responses: etcd.WatchResponse[]): WatchBatch[] {
  return responses.flatMap((one) => [...assembler.add(one)]);
}

describe('WatchAssembler', () => {
  test('puts the fragments of a revision together and holds it back until its end is sure', () => {
    const assembler = new WatchAssembler({ prefix: '', position: 4n });
    expect(lines([...assembler.add(response([event(5, 'a'), event(6, 'b')], { fragment: true }))])).toEqual([
      '5 put a=v',
    ]);
    expect(assembler.position).toBe(5n);
    expect([...assembler.add(response([event(6, 'c')], { fragment: true }))]).toEqual([]);
    expect(lines([...assembler.add(response([event(6, 'd'), event(7, 'e')]))])).toEqual([
      '6 put b=v',
      '6 put c=v',
      '6 put d=v',
      '7 put e=v',
    ]);
    expect(assembler.position).toBe(7n);
  });

  test('an empty last fragment ends a revision', () => {
    const assembler = new WatchAssembler({ prefix: '', position: 4n });
    expect(assemble(assembler, [response([event(5, 'a')], { fragment: true }), response([])])).toHaveLength(1);
  });

  test('revisions without a matching key move the position alone', () => {
    const assembler = new WatchAssembler({ prefix: 'a/', position: 4n });
    expect(
      assemble(assembler, [response([event(5, 'b'), event(6, 'a'), event(7, 'a/'), event(8, 'a0')])]),
    ).toMatchObject([{ revision: 7n }]);
    expect(assembler.position).toBe(8n);
  });

  test('what it has is left out', () => {
    const assembler = new WatchAssembler({ prefix: '', position: 5n });
    expect(lines(assemble(assembler, [response([event(4, 'a'), event(5, 'a'), event(6, 'b')])]))).toEqual([
      '6 put b=v',
    ]);
  });

  test('a gap is an error, unless history is known to have it', () => {
    const jump = response([event(7, 'a')]);
    expect(() => assemble(new WatchAssembler({ prefix: '', position: 5n }), [jump])).toThrow(RevisionGap);
    const knowing = new WatchAssembler({ prefix: '', position: 5n, acceptGapAt: 5n });
    expect(assemble(knowing, [jump])).toHaveLength(1);
    expect(() => assemble(knowing, [response([event(9, 'a')])])).toThrow(RevisionGap);
  });

  test('history starts anywhere: an empty store stands at revision 1 and its first change may be compacted', () => {
    expect(assemble(new WatchAssembler({ prefix: '', position: 0n }), [response([event(2, 'a')])])).toHaveLength(1);
  });

  test('a compacted watch is Expired, a cancelled one an error', () => {
    const assembler = new WatchAssembler({ prefix: '', position: 5n });
    const compacted = response([], { compactRevision: 9n, canceled: true });
    expect(() => assemble(assembler, [compacted])).toThrow(expect.objectContaining({ reason: 'Expired' }));
    expect(() => assemble(assembler, [response([], { canceled: true, cancelReason: 'no' })])).toThrow('cancelled');
  });

  test('however the same events are cut into fragments, the batches are the same', () => {
    const history = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 });
    const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(history, cuts, (sizes, lengths) => {
        const events = sizes.flatMap((size, i) => Array.from({ length: size }, (_, j) => event(i + 2, `k${j}`)));
        const whole = assemble(new WatchAssembler({ prefix: '', position: 1n }), [response(events)]);
        const responses: etcd.WatchResponse[] = [];
        for (let at = 0; at < events.length; ) {
          const to = at + (lengths[responses.length] ?? 1);
          responses.push(response(events.slice(at, to), { fragment: to < events.length }));
          at = to;
        }
        expect(assemble(new WatchAssembler({ prefix: '', position: 1n }), responses)).toEqual(whole);
        expect(whole.map(({ events }) => events.length)).toEqual(sizes);
      }),
    );
  });
});
