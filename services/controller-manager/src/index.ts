export { controllerManager, type ControllerManagerOptions } from './controller-manager.ts';
export type { NodeSettings } from './node/lifecycle.ts';
