export { run } from './run.ts';
export type { Io } from './session.ts';
export type { PlanJson } from './print/plan.ts';
