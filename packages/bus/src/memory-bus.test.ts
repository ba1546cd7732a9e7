import { describeEventBus } from './conformance.ts';
import { MemoryHub } from './memory-bus.ts';

describeEventBus('MemoryBus', async () => {
  const hub = new MemoryHub();
  return {
    connect: () => hub.connect(),
    kill: async () => hub.stop(),
    start: async () => hub.start(),
    wipe: async () => hub.wipe(),
    stop: async () => hub.stop(),
  };
});
