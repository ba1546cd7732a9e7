import { createLogger } from '@navarch/kit';
import { startNats } from '@navarch/testing';
import { describeEventBus } from './conformance.ts';
import { NatsBus } from './nats-bus.ts';

describeEventBus('NatsBus', async () => {
  const server = await startNats();
  const logger = createLogger({ name: 'bus-test', level: 'fatal' });
  return {
    connect: (name) => NatsBus.connect({ servers: [server.url], name, logger }),
    kill: () => server.kill(),
    start: () => server.start(),
    wipe: () => server.wipe(),
    stop: () => server.stop(),
  };
});
