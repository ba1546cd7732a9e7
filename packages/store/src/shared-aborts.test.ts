import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { SharedAborts } from './shared-aborts.ts';

test('all who listen to a signal hear it once, those who stopped do not, and it has one listener while anybody listens', () => {
  const aborts = new SharedAborts();
  const [one, two] = [new AbortController(), new AbortController()];
  const listeners = () => [one, two].map(({ signal }) => getEventListeners(signal, 'abort').length);
  const [a, b, c, d] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  const listening = [aborts.listen(one.signal, a), aborts.listen(one.signal, b), aborts.listen(two.signal, c)];
  expect(listeners()).toEqual([1, 1]);
  listening[1]?.[Symbol.dispose]();
  expect(listeners()).toEqual([1, 1]);
  one.abort();
  expect([a, b, c].map((fn) => fn.mock.calls.length)).toEqual([1, 0, 0]);
  for (const each of listening) each[Symbol.dispose]();
  expect(listeners()).toEqual([0, 0]);
  two.abort();
  expect(c).not.toHaveBeenCalled();
  aborts.listen(one.signal, d);
  expect(d).toHaveBeenCalledOnce();
});

test('who begins to listen after all others have stopped is told as well', () => {
  const aborts = new SharedAborts();
  const controller = new AbortController();
  aborts.listen(controller.signal, vi.fn())[Symbol.dispose]();
  const late = vi.fn();
  aborts.listen(controller.signal, late);
  controller.abort();
  expect(late).toHaveBeenCalledOnce();
});
