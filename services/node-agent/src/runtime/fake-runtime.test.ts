import { runtimeConformance } from './conformance.ts';
import { FakeRuntime } from './fake-runtime.ts';

const listen = (port: number) => {
  const serve = `require('net').createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.write('hello\\n');
    socket.on('data', (data) => (bytes += data.length)).on('end', () => socket.end(String(bytes)));
  }).on('connection', (socket) => socket.on('close', () => process.exit())).listen(${port}, '127.0.0.1')`;
  return [process.execPath, '-e', serve];
};

runtimeConformance('FakeRuntime', async () => {
  const runtime = new FakeRuntime({
    images: ['docker.io/library/busybox:latest'],
    // As the suite's shell scripts would behave.
    program: ({ command }) => ({ onTerm: command.join(' ').includes('trap "" TERM') ? null : 7 }),
  });
  return { runtime, logRoot: '/nowhere', listen, stop: async () => {} };
});
