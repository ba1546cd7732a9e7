/** Hears what the store does, for metrics. Each method is optional and must return at once. */
export interface StoreObserver {
  /** A group of transactions was answered by etcd (each committed or in conflict), or failed as a whole. */
  group?(group: {
    readonly transactions: number;
    readonly operations: number;
    readonly bytes: number;
    readonly durationMs: number;
    readonly failed: boolean;
  }): void;
  /** How many transactions wait for a place in a group, whenever that changes by a group. */
  waiting?(transactions: number): void;
  /** A watch lost its stream and opens another. */
  reconnect?(): void;
}
