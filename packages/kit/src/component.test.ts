import { describe, expect, test } from 'vitest';
import { background, type Component, Components } from './component.ts';
import { createLogger } from './logger.ts';

const logger = createLogger({ name: 'test', level: 'silent' });
const never = new AbortController().signal;

describe('Components', () => {
  test('aborts a component before it is stopped, and not those that it stands on', async () => {
    const seen: string[] = [];
    const signals: AbortSignal[] = [];
    const part = (name: string): Component => ({
      name,
      start: async (signal) => void signals.push(signal),
      stop: async () => void seen.push(`${name} ${signals.map(({ aborted }) => aborted).join()}`),
    });
    const whole = new Components({ name: 'whole', components: [part('below'), part('above')], logger });
    await whole.start(never);
    await Promise.all([whole.stop(), whole.stop()]);
    expect(seen).toEqual(['above false,true', 'below true,true']);
  });

  test('leaves a component behind that does not stop in time, or fails to', async () => {
    const stopped: string[] = [];
    const components: Component[] = [
      { name: 'good', start: async () => {}, stop: async () => void stopped.push('good') },
      { name: 'stuck', start: async () => {}, stop: () => new Promise(() => {}) },
      { name: 'bad', start: async () => {}, stop: () => Promise.reject(new Error('no')) },
    ];
    const whole = new Components({ name: 'whole', components, logger, stopTimeoutMs: 20 });
    await whole.start(never);
    await whole.stop();
    expect(stopped).toEqual(['good']);
  });
});

describe('background', () => {
  test('begins at the start, and its stop waits for the end', async () => {
    const abort = new AbortController();
    const end = Promise.withResolvers<void>();
    let ended = false;
    const component = background('loop', async (signal) => {
      await end.promise;
      ended = true;
      signal.throwIfAborted();
    });
    await component.start(abort.signal);
    abort.abort();
    end.resolve();
    await component.stop?.();
    expect(ended).toBe(true);
  });
});
