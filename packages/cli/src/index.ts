export { run } from './run.ts';
export type { Io } from './session.ts';
