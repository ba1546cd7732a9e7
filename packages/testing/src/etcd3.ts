import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Once before `etcd3` is used in a test. Tests run with the resolve condition `import`, with which the protobufjs behind
 * etcd3 finds `long` in a form that it can't use; it would then round member ids to what a double holds, and an alarm be
 * disarmed of a member unknown.
 */
export function prepareEtcd3(): void {
  const require = createRequire(fileURLToPath(import.meta.resolve('etcd3')));
  const protobuf: { util: { Long: unknown }; configure(): void } = require('protobufjs');
  protobuf.util.Long ??= require('long').default;
  protobuf.configure();
}
