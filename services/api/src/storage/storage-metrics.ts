import type { Metrics } from '@navarch/kit';
import type { MemberReport } from '@navarch/store';
import { answered, type StorageLimits, type StoragePressure } from './pressure.ts';

/** What is known of the store's servers, and what was done for them, as metrics. */
export class StorageMetrics {
  readonly #disk;
  readonly #used;
  readonly #alarm;
  readonly #full;
  readonly #steps;

  constructor(metrics: Metrics, limits: StorageLimits) {
    const labelNames = ['member'] as const;
    this.#disk = metrics.gauge({
      name: 'navarch_etcd_disk_bytes',
      help: "What a member's database takes on disk.",
      labelNames,
    });
    this.#used = metrics.gauge({ name: 'navarch_etcd_used_bytes', help: 'What of that is in use.', labelNames });
    metrics
      .gauge({ name: 'navarch_etcd_quota_bytes', help: 'What it may take before etcd refuses to write.' })
      .set(limits.quotaBytes);
    this.#alarm = metrics.gauge({
      name: 'navarch_etcd_alarm',
      help: '1 while etcd has this alarm up.',
      labelNames: ['alarm'],
    });
    this.#full = metrics.gauge({
      name: 'navarch_api_storage_full',
      help: '1 while creates are refused because the store is full.',
    });
    this.#steps = metrics.counter({
      name: 'navarch_etcd_care_steps_total',
      help: 'What was done for the store: compact, defragment, disarm.',
      labelNames: ['step', 'result'],
    });
  }

  seen(members: readonly MemberReport[], pressure: StoragePressure | undefined): void {
    for (const { endpoint: member, diskBytes, usedBytes } of members.filter(answered)) {
      this.#disk.set({ member }, diskBytes);
      this.#used.set({ member }, usedBytes);
    }
    if (pressure === undefined) return;
    for (const alarm of ['NOSPACE', 'CORRUPT'] as const) {
      this.#alarm.set({ alarm }, pressure.alarms.includes(alarm) ? 1 : 0);
    }
    this.#full.set(pressure.level === 'full' ? 1 : 0);
  }

  done(step: 'compact' | 'defragment' | 'disarm', result: 'done' | 'failed'): void {
    this.#steps.inc({ step, result });
  }
}
