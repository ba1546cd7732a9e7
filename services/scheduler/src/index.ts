export { filters } from './filters.ts';
export { defaultProfiles, type Profile, profiles } from './profiles.ts';
export { type Decision, type Rejection, schedule } from './schedule.ts';
export { Scheduler, type SchedulerOptions } from './scheduler.ts';
export { schedulerService, type SchedulerServiceOptions } from './scheduler-service.ts';
export { type Strategy, strategies } from './select-node.ts';
export { type NodeInfo, type PodInfo, type Snapshot, toNodeInfo, toPodInfo, withPod } from './snapshot.ts';
