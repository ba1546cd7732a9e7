/** A process for `service.test.ts`: what it does is told by its flags. */
import { aborted } from './abort.ts';
import type { Component } from './component.ts';
import { defineConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { address, boolean, oneOf } from './parsers.ts';
import { runService } from './service.ts';

const { metrics, fail, stuck } = defineConfig(
  { name: 'fixture', description: 'Starts and stops two components.' },
  {
    metrics: {
      flag: '--metrics <address>',
      env: 'FIXTURE_METRICS',
      default: '127.0.0.1:0',
      description: 'HTTP',
      parse: address,
    },
    fail: { flag: '--fail <how>', description: 'what goes wrong', parse: oneOf('start', 'later', 'never-starts') },
    stuck: { flag: '--stuck', default: 'false', description: 'never stops', parse: boolean },
  },
).readOrExit();

const logger = createLogger({ name: 'fixture' });
const component = (name: string, more: Partial<Component> = {}): Component => ({
  name,
  start: async () => logger.info(`${name} started`),
  stop: async () => logger.info(`${name} stopped`),
  ...more,
});

await runService({
  name: 'fixture',
  logger,
  metrics: { listen: metrics, metrics: createMetrics('fixture') },
  components: [
    component('first', stuck ? { stop: () => new Promise(() => {}) } : {}),
    component('second', {
      start: async (signal) => {
        if (fail === 'start') throw new Error('the disk is full');
        if (fail === 'never-starts') {
          logger.info('second waits');
          await aborted(signal);
          signal.throwIfAborted();
        }
        if (fail === 'later') setImmediate(() => void Promise.reject(new Error('forgotten')));
      },
    }),
  ],
});
