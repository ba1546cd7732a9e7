export * from './contracts.ts';
export * from './controller-runner.ts';
export * from './event-recorder.ts';
export * from './leader-elector.ts';
export * from './leader-work.ts';
export { Term } from './term.ts';
export * from './work-queue.ts';
