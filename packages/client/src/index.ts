export type { AccessCalls } from './access-calls.ts';
export * from './client.ts';
export { Connection, type UnaryOptions } from './connection.ts';
export { bookmarksSubject, changesPattern, changesSubject, travelsOnFeed } from './feed-subjects.ts';
export { connectionWindowBytes, ForwardedConnection } from './forwarded-connection.ts';
export * from './grpc-client.ts';
export * from './informer-set.ts';
export { createInformerSet } from './informers.ts';
export type { MetricsCalls } from './metrics-calls.ts';
export type { PlannerSession, PlanningCalls } from './planning-calls.ts';
export * from './pod-streams.ts';
export { type PortForward, startPortForward } from './port-forward.ts';
export { PushedMetrics, pushedMetricsSubject } from './pushed-metrics.ts';
export { UsagePicture, type UsageReading } from './usage-picture.ts';
export * from './watch-source.ts';
export {
  applyWrite,
  bindWrite,
  checkWrite,
  createWrite,
  deleteWrite,
  evictWrite,
  patchWrite,
  scaleWrite,
  updateStatusWrite,
  updateWrite,
} from './writes.ts';
