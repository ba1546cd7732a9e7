import { type Kinds, pod as podKind } from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError, isApiError, toApiError } from '@navarch/machinery';
import type { Fence } from '@navarch/proto';
import type { Compare } from '@navarch/store';
import type { ObjectSource, Sources } from '../read/source.ts';
import type { StoragePressure } from '../storage/pressure.ts';
import { encodeResource } from '../wire/responses.ts';
import { type TolerationSeconds, usualTolerationSeconds } from './admission/tolerations.ts';
import { commit, type Committed, type Decision, readyTransaction } from './committer.ts';
import { fenceCompares } from './fence.ts';
import { type FirstOutcome, firstOutcome, firstParts, type FirstTry, firstTryGroups } from './first-tries.ts';
import { OwnWrites } from './own-writes.ts';
import { Rooms } from './rooms.ts';
import type { ServiceNetwork } from './service-network.ts';
import { Turn, Turns } from './turns.ts';
import type { Circumstances, Prepared, View, Write } from './write.ts';

export const maxWritesPerTransaction = 100;

/** What goes for all writes of one call. */
export interface WriteOptions {
  readonly fence: Fence | undefined;
  readonly dryRun: boolean;
  /** What the writing program names itself; '' when it does not. */
  readonly program: string;
  readonly signal: AbortSignal;
}

/** What one write came to. */
export interface Written {
  /** The encoded Resource after the write; before it, when the object is gone. */
  readonly resource: Buffer;
  readonly gone: boolean;
  /** False when there was nothing to change. */
  readonly changed: boolean;
  readonly created: boolean;
}

export type WriteOutcome =
  | { readonly ok: true; readonly written: Written }
  | { readonly ok: false; readonly error: ApiError };

interface PipelineOptions {
  readonly kinds: Kinds;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly serviceNetwork: ServiceNetwork;
  readonly tolerationSeconds?: TolerationSeconds | undefined;
  /** How full the store is now. */
  readonly pressure?: () => StoragePressure | undefined;
  readonly random?: () => number;
}

/** Every write of every kind goes through here: decided against the current state, then committed. */
export class Pipeline {
  readonly #kinds: Kinds;
  readonly #sources: Sources;
  readonly #turns = new Turns();
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #view: View;
  readonly #serviceNetwork: ServiceNetwork;
  readonly #tolerationSeconds: TolerationSeconds;
  readonly #pressure: () => StoragePressure | undefined;

  constructor(options: PipelineOptions) {
    this.#pressure = options.pressure ?? (() => undefined);
    const { sources } = options;
    this.#kinds = options.kinds;
    this.#serviceNetwork = options.serviceNetwork;
    this.#tolerationSeconds = options.tolerationSeconds ?? usualTolerationSeconds;
    this.#sources = sources;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    const objects = sources.of(podKind).cache;
    const rooms = new Rooms(objects);
    this.#view = {
      get: (kind, namespace, name) => sources.of(kind).cache.get(kind, namespace, name),
      list: (kind, namespace) => sources.of(kind).cache.list(kind, namespace),
      written: () => false,
      room: (nodeName) => rooms.of(nodeName),
      get revision() {
        return objects.revision;
      },
    };
  }

  async write(write: Write, options: WriteOptions): Promise<Written> {
    const [written] = await this.#commit([write], options);
    if (written === undefined) throw new ApiError('InternalError', 'a write came to nothing');
    return written;
  }

  /** Each on its own: one result for each write, in their order. */
  async writeEach(writes: readonly (() => Write)[], options: WriteOptions): Promise<readonly WriteOutcome[]> {
    const outcomes = options.dryRun ? [] : await this.#tryEach(writes, options);
    const left = writes.map((write, at) => ({ write, at })).filter(({ at }) => outcomes[at] === undefined);
    await Promise.all(
      left.map(async ({ write, at }) => {
        outcomes[at] = await outcomeOf(async () => await this.write(write(), options));
      }),
    );
    return outcomes.flatMap((outcome) => outcome ?? []);
  }

  /**
   * The first try of each goes to the store with those of the others. Undefined is left where that does not decide it: the write
   * is refused, changes nothing, needs its turn, or another was faster.
   */
  async #tryEach(writes: readonly (() => Write)[], options: WriteOptions): Promise<(WriteOutcome | undefined)[]> {
    const tries = firstTryGroups(writes).flatMap((members) => this.#firstTry(members, options));
    const outcomes = Array.from<WriteOutcome | undefined>({ length: writes.length });
    const bySource = [...Map.groupBy(tries, ({ source }) => source)];
    await Promise.all(
      bySource.map(async ([source, tries]) => {
        const transactions = tries.map(({ transaction }) => transaction);
        const results = await source.commitEach(transactions, options.signal);
        for (const [i, each] of tries.entries()) settleFirst(each, firstOutcome(each, results[i]), outcomes);
      }),
    );
    return outcomes;
  }

  #firstTry(members: ReturnType<typeof firstTryGroups>[number], options: WriteOptions): FirstTry[] {
    const [first] = members;
    if (first === undefined) return [];
    const source = this.#sources.of(first.write.kind);
    let fence: readonly Compare[];
    try {
      fence = fenceCompares(this.#view, options.fence);
    } catch {
      // A leader that may not write any more is told so on a state that is as new as the call.
      return [];
    }
    const parts = firstParts(members, this.#circumstances(options));
    const turn = new Turn(this.#turns);
    const writes = parts.map(({ prepared }) => prepared);
    const transaction = readyTransaction({ fence, writes }, turn, source.cache.revision);
    return transaction === undefined ? [] : [{ source, parts, turn, transaction }];
  }

  /**
   * All or nothing. When some writes are wrong, each of these has its error and the others, of which nothing came either,
   * have undefined.
   */
  async writeTogether(
    writes: readonly (() => Write)[],
    options: WriteOptions,
  ): Promise<readonly (WriteOutcome | undefined)[]> {
    const decoded = writes.map((write) => attempt(write));
    const failed = refusals(decoded);
    if (failed !== undefined) return failed;
    try {
      const all = decoded.flatMap((each) => (each.ok ? [each.value] : []));
      return (await this.#commit(all, options)).map((written) => ({ ok: true, written }));
    } catch (error) {
      if (error instanceof Refused) return error.outcomes;
      throw error;
    }
  }

  async #commit(writes: readonly Write[], options: WriteOptions): Promise<readonly Written[]> {
    const source = this.#sourceOf(writes);
    if (writes.some(({ decidedOnOthers }) => decidedOnOthers)) await source.fresh(options.signal);
    const committed = await commit(source, () => this.#decide(writes, options), {
      ...options,
      clock: this.#clock,
      turns: this.#turns,
    });
    return committed.writes.map((prepared) => writtenBy(prepared, committed));
  }

  #decide(writes: readonly Write[], options: WriteOptions): Decision {
    const fence = fenceCompares(this.#view, options.fence);
    return { fence, writes: prepareAll(writes, this.#circumstances(options)) };
  }

  #circumstances(options: WriteOptions): Circumstances {
    return {
      view: this.#view,
      kinds: this.#kinds,
      now: timestamp(this.#clock.now()),
      program: options.program,
      random: this.#random,
      serviceNetwork: this.#serviceNetwork,
      tolerationSeconds: this.#tolerationSeconds,
      pressure: this.#pressure(),
    };
  }

  #sourceOf(writes: readonly Write[]): ObjectSource {
    const [source, ...others] = new Set(writes.map(({ kind }) => this.#sources.of(kind)));
    if (source === undefined) throw new ApiError('BadRequest', 'there is nothing to write');
    if (others.length > 0) {
      throw new ApiError(
        'BadRequest',
        'events are not kept with other objects: an atomic transaction can not hold both',
      );
    }
    return source;
  }
}

/** RFC 3339, in whole seconds, as everywhere in Kubernetes' metadata. */
export function timestamp(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  // Thousands of writes share a second.
  if (second !== spelled.second) spelled = { second, text: `${new Date(nowMs).toISOString().slice(0, 19)}Z` };
  return spelled.text;
}

let spelled = { second: Number.NaN, text: '' };

function settleFirst({ parts, turn }: FirstTry, outcome: FirstOutcome, outcomes: (WriteOutcome | undefined)[]): void {
  using _turn = turn;
  if (outcome.type === 'committed') turn.wrote(outcome.revision);
  for (const { at, prepared } of parts) {
    if (outcome.type === 'committed') outcomes[at] = { ok: true, written: writtenBy(prepared, outcome) };
    else if (outcome.type === 'failed') outcomes[at] = { ok: false, error: outcome.error };
  }
}

async function outcomeOf(write: () => Promise<Written>): Promise<WriteOutcome> {
  try {
    return { ok: true, written: await write() };
  } catch (error) {
    return { ok: false, error: toApiError(error) };
  }
}

function writtenBy(prepared: Prepared, { revision }: Pick<Committed, 'revision'>): Written {
  const changed = prepared.ops.length > 0;
  const at = changed && revision !== 0n ? revision : prepared.revision;
  return {
    resource: encodeResource(at, prepared.body),
    gone: prepared.gone,
    changed,
    created: prepared.created ?? false,
  };
}

/** Some of the writes of an atomic transaction are wrong. A value among ApiErrors, for `commit` believes those. */
class Refused extends ApiError {
  readonly outcomes: readonly (WriteOutcome | undefined)[];

  constructor(first: ApiError, outcomes: readonly (WriteOutcome | undefined)[]) {
    super(first.reason, first.message, { fields: first.fields });
    this.outcomes = outcomes;
  }
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ApiError };

function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    if (isApiError(error)) return { ok: false, error };
    throw error;
  }
}

function refusals(attempts: readonly Attempt<unknown>[]): readonly (WriteOutcome | undefined)[] | undefined {
  if (attempts.every(({ ok }) => ok)) return undefined;
  return attempts.map((each) => (each.ok ? undefined : { ok: false, error: each.error }));
}

function prepareAll(writes: readonly Write[], circumstances: Circumstances): readonly Prepared[] {
  if (writes.length === 1) return writes.map((write) => write.prepare(circumstances));
  const view = new OwnWrites(circumstances.view);
  const attempts = writes.map((write) =>
    attempt(() => {
      const prepared = write.prepare({ ...circumstances, view });
      view.add(write.kind, prepared);
      return prepared;
    }),
  );
  const seen = new Set<string>();
  const checked = attempts.map((each, i): Attempt<Prepared> => {
    if (!each.ok || !seen.has(each.value.key)) {
      if (each.ok) seen.add(each.value.key);
      return each;
    }
    const { kind, name } = writes[i] ?? {};
    const what = `${kind?.resource ?? ''} "${name ?? ''}"`;
    return { ok: false, error: new ApiError('BadRequest', `the transaction writes ${what} twice`) };
  });
  const failed = refusals(checked);
  const first = checked.find((each) => !each.ok);
  if (failed !== undefined && first?.ok === false) throw new Refused(first.error, failed);
  return checked.flatMap((each) => (each.ok ? [each.value] : []));
}
