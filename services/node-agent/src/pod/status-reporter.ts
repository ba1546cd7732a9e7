import { pod as podKind } from '@navarch/kinds';
import type { Clock, Logger } from '@navarch/kit';
import { keyOf, type Live } from '@navarch/machinery';
import { type Pod, PodStatus } from '@navarch/proto';
import type { ApiWriter } from './api-writer.ts';
import { reportedConditions } from './status.ts';

/** A Pod that comes up within this time is reported once, when it is up. */
const passingMs = 250;

/** Writes one Pod's status when it differs from what the api has; one write at a time, always the newest. */
export class StatusReporter {
  readonly #writer: Pick<ApiWriter, 'submit'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #last: { readonly status: PodStatus; readonly text: string } | undefined;
  /** The revision that the last write made: an older object from the cache is no reason to write again. */
  #wroteRevision = 0n;
  #writing: Promise<void> | undefined;
  #again: Live<Pod> | undefined;
  /** As it came with the last report. */
  #newest: Live<Pod> | undefined;
  #timer: Disposable | undefined;

  constructor(options: { writer: Pick<ApiWriter, 'submit'>; clock: Clock; logger: Logger }) {
    this.#writer = options.writer;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** The Pod with the status that was reported last, which may be newer than the cache's, and with what others say of it. */
  withLastStatus(pod: Live<Pod>): Live<Pod> {
    if (!this.#last) return pod;
    const { status } = this.#last;
    const own = status.conditions.filter(({ type }) => reportedConditions.has(type));
    const others = pod.status.conditions.filter(({ type }) => !reportedConditions.has(type));
    return { ...pod, status: { ...status, conditions: [...own, ...others] } };
  }

  /** `pod` is what the cache holds. A status that is `passing` is written only if no other follows soon. */
  report(pod: Live<Pod>, status: PodStatus, passing: boolean): void {
    this.#newest = pod;
    const text = JSON.stringify(PodStatus.toJSON(status));
    const cached = JSON.stringify(PodStatus.toJSON(pod.status));
    const unchanged = this.#last?.text === text;
    this.#last = { status, text };
    // A cache that has not seen the last write yet says nothing about what the api has.
    const seen = BigInt(pod.metadata.resourceVersion || '0') >= this.#wroteRevision;
    if (text === cached && seen && this.#writing === undefined) {
      this.#forget();
      return;
    }
    if (unchanged && (this.#writing !== undefined || !seen)) return;
    this.#again = pod;
    if (passing) this.#timer ??= this.#clock.timer(passingMs, () => this.#flush());
    else this.#flush();
  }

  /** Whether `next` differs from `before` by nothing but what was reported here. */
  isEcho(before: Live<Pod>, next: Live<Pod>): boolean {
    const { generation, deletionTimestamp, deletionGracePeriodSeconds } = before.metadata;
    const asked =
      next.metadata.generation !== generation ||
      next.metadata.deletionTimestamp !== deletionTimestamp ||
      next.metadata.deletionGracePeriodSeconds !== deletionGracePeriodSeconds;
    if (asked || !this.#last) return false;
    // The api's answer to a write may come after the change that it made.
    if (BigInt(next.metadata.resourceVersion || '0') <= this.#wroteRevision) return true;
    return JSON.stringify(PodStatus.toJSON(next.status)) === this.#last.text;
  }

  /** Resolves when everything has been written. */
  async flushed(): Promise<void> {
    if (this.#timer) this.#flush();
    await this.#writing;
  }

  #flush(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    // The write under way may have taken with it what the timer was set for.
    if (this.#again !== undefined) this.#writing ??= this.#write();
  }

  #newerThan(revision: bigint): Live<Pod> | undefined {
    return BigInt(this.#newest?.metadata.resourceVersion || '0') > revision ? this.#newest : undefined;
  }

  #forget(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#again = undefined;
  }

  /** Only while there is something to write: its end would otherwise come before it is known as under way. */
  async #write(): Promise<void> {
    try {
      for (let pod = this.#again; pod && this.#last; pod = this.#again) {
        this.#again = undefined;
        // Only over what was seen: others say in a Pod's conditions why it ends, and that must not be lost.
        const over = newer(BigInt(pod.metadata.resourceVersion || '0'), this.#wroteRevision);
        const metadata = { ...pod.metadata, resourceVersion: over === 0n ? '' : String(over) };
        const object = { ...pod, metadata, status: this.#last.status };
        const outcome = await this.#writer.submit(keyOf(pod), { type: 'updateStatus', kind: podKind, object });
        if (outcome.ok) this.#wroteRevision = outcome.revision;
        // The change that came between has been seen since; otherwise it will be, and then there will be another report.
        else if (outcome.error.reason === 'Conflict') this.#again ??= this.#newerThan(over);
        else if (outcome.error.reason !== 'NotFound') {
          this.#logger.error(
            { pod: keyOf(pod), reason: outcome.error.reason },
            `status refused: ${outcome.error.message}`,
          );
        }
      }
    } catch {
      // Only the end of the agent: the next one reports what it sees.
    } finally {
      this.#writing = undefined;
    }
  }
}

function newer(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
