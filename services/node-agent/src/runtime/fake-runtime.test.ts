import { runtimeConformance } from './conformance.ts';
import { FakeRuntime } from './fake-runtime.ts';

runtimeConformance('FakeRuntime', async () => {
  const runtime = new FakeRuntime({
    images: ['docker.io/library/busybox:latest'],
    // As the suite's shell scripts would behave.
    program: ({ command }) => ({ onTerm: command.join(' ').includes('trap "" TERM') ? null : 7 }),
  });
  return { runtime, logRoot: '/nowhere', stop: async () => {} };
});
