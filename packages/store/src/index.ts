export {
  type EtcdAlarm,
  EtcdMaintenance,
  type Maintenance,
  type MaintenanceOptions,
  type MemberOutOfReach,
  type MemberReport,
  type MemberStatus,
} from './etcd-maintenance.ts';
export { EtcdStore, type EtcdStoreOptions } from './etcd-store.ts';
export type { StoreLogger } from './etcd-watch.ts';
export { MemoryStore } from './memory-store.ts';
export type { StoreObserver } from './observer.ts';
export * from './store.ts';
export { transactionLimits } from './transaction.ts';
