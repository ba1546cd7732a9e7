import { event, type KindDefinition, pod } from '@navarch/kinds';
import {
  escapeFieldValue,
  formatLabelSelector,
  isApiError,
  type KubeObject,
  type Live,
  toApiError,
} from '@navarch/machinery';
import type { Event, Pod } from '@navarch/proto';
import { createLogUpdate } from 'log-update';
import type { Chosen } from '../choose-objects.ts';
import { type Io, type Session, UserError } from '../session.ts';
import { waitUntil } from '../wait-until.ts';
import { mirror } from './mirror.ts';
import { findRevisions } from './revisions.ts';
import type { RolloutKind, Workload } from './rollout-kind.ts';
import { rolloutKindOf } from './rollout-kinds.ts';
import { fitted, type RolloutObjects, rolloutView, troubleLines } from './view.ts';

export interface FollowOptions {
  /** Only look once. */
  readonly once?: boolean;
  readonly timeoutMs?: number | undefined;
  /** Fail once another revision is rolled out than this one. */
  readonly revision?: number | undefined;
}

/**
 * Follows a rollout to its end: on a terminal as a picture that is drawn over itself, elsewhere as a line for each change.
 * Throws UserError, with the Pods that are in the way, when it fails or takes longer than `timeoutMs`.
 */
export async function followRollout(session: Session, chosen: Chosen, options: FollowOptions): Promise<void> {
  const rollout = rolloutKindOf(chosen.kind);
  const { namespace, name } = chosen;
  let object: Live<Workload> = await session.client().get(rollout.kind, { namespace, name });
  const isLive = session.io.stdout.isTTY === true && options.once !== true;
  await using screen = isLive ? liveScreen(session, rollout, object) : plainScreen(session);
  const look = (seen: Live<Workload> | undefined): boolean => {
    if (seen === undefined) throw new UserError(`${rollout.kind.singular} "${name}" is gone`);
    object = seen;
    const { state, message } = rollout.progress(seen);
    if (state === 'failed') throw new UserError(message);
    screen.show(seen, message);
    return state === 'done';
  };
  const check = options.revision === undefined ? undefined : revisionCheck(session, rollout, options.revision);
  try {
    await check?.(object);
    if (look(object) || options.once === true) return;
    const selector = { namespace, fieldSelector: `metadata.name=${escapeFieldValue(name)}` };
    if (!(await waitUntil(session, rollout.kind, selector, look, options.timeoutMs))) {
      throw new UserError(`timed out waiting for the rollout of ${rollout.kind.singular} "${name}"`);
    }
    await check?.(object);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // They stand in the picture, which stays.
    const lines = isLive ? [] : await troubles(session, rollout, object);
    throw lines.length === 0 ? error : new UserError([`${error.message}; not available:`, ...lines].join('\n'));
  } finally {
    screen.close(object);
  }
}

/** Where the state of a rollout is shown. */
interface Screen extends AsyncDisposable {
  show(object: Live<Workload>, message: string): void;
  /** Nothing is shown after it but what the caller prints. */
  close(object: Live<Workload>): void;
}

function plainScreen(session: Session): Screen {
  let said = '';
  return {
    show: (_object, message) => {
      if (message !== said) session.print(`${message}\n`);
      said = message;
    },
    close: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Draws whenever something of the rollout changes, and every second for the time that is left. */
function liveScreen(session: Session, rollout: RolloutKind, first: Live<Workload>): Screen {
  const update = createLogUpdate(screenOf(session.io), { showCursor: true });
  const stop = new AbortController();
  const signal = AbortSignal.any([session.io.signal, stop.signal]);
  const records = new Map<string, Live<Workload>>();
  const pods = new Map<string, Live<Pod>>();
  const failures = new Map<string, Live<Event>>();
  const selector = ownSelector(rollout, first);
  let object = first;
  let blind = '';
  /** Those of which it is known what there is: a picture without them would be wrong. */
  const known = new Set<string>();
  let hasTicked = false;
  const draw = () => {
    if (known.size < 2 && !hasTicked) return;
    const objects: RolloutObjects = {
      rollout,
      object,
      records: [...records.values()],
      pods: [...pods.values()],
      failedProbes: [...failures.values()],
    };
    const lines = [...rolloutView(objects, session.io.now()), ...(blind === '' ? [] : [blind])];
    if (!stop.signal.aborted) update(fitted(lines, session.io.stdout.columns || 80).join('\n'));
  };
  const keep = <T extends KubeObject>(kind: KindDefinition<T>, objects: Map<string, Live<T>>) =>
    mirror(session, kind, { ...selector, signal }, objects, () => {
      known.add(kind.plural);
      draw();
    }).catch((error: unknown) => {
      // The rollout itself is still seen.
      blind = `Its ${kind.plural} can't be seen: ${toApiError(error).message}`;
      known.add(kind.plural);
      draw();
    });
  const probes = mirror(session, event, { ...ofFailedProbes(first), signal }, failures, draw).catch(
    (error: unknown) => {
      // Events live apart from everything else: without them, it is not told why a probe fails.
      if (!isApiError(error)) throw error;
    },
  );
  const mirrors = [keep(rollout.records, records), keep(pod, pods), probes];
  const ticks = setInterval(() => {
    hasTicked = true;
    draw();
  }, 1000);
  return {
    show: (seen) => {
      object = seen;
      draw();
    },
    close: (last) => {
      if (stop.signal.aborted) return;
      clearInterval(ticks);
      stop.abort();
      const { state, message } = rollout.progress(last);
      if (state === 'done') {
        update.clear();
        session.print(`${message}\n`);
      }
      update.done();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(ticks);
      stop.abort();
      await Promise.all(mirrors);
    },
  };
}

/** The terminal as log-update wants it. One that does not know its size says 0. */
function screenOf({ stdout }: Io): NodeJS.WriteStream {
  const screen = {
    isTTY: true,
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    write: (text: string) => stdout.write(text),
  };
  return screen as unknown as NodeJS.WriteStream; // log-update uses no more of it
}

/** Which Pods are in the way. Empty when that can't be asked. */
async function troubles(session: Session, rollout: RolloutKind, object: Live<Workload>): Promise<readonly string[]> {
  const selector = ownSelector(rollout, object);
  try {
    const { items: records } = await session.client().list(rollout.records, selector);
    const { items: pods } = await session.client().list(pod, selector);
    const { items: failedProbes } = await session.client().list(event, ofFailedProbes(object));
    return troubleLines({ rollout, object, records, pods, failedProbes }, session.io.now());
  } catch (error) {
    // What is being reported is more than why it is.
    if (!isApiError(error)) throw error;
    return [];
  }
}

function revisionCheck(session: Session, rollout: RolloutKind, wanted: number) {
  return async (object: Live<Workload>): Promise<void> => {
    const running = (await findRevisions(session, rollout, object)).at(-1)?.revision.number ?? 0;
    if (running === wanted) return;
    throw new UserError(`desired revision (${wanted}) is different from the running revision (${running})`);
  };
}

/** What has the labels that its Pods and records have. */
function ownSelector(rollout: RolloutKind, object: Live<Workload>) {
  const labelSelector = formatLabelSelector(rollout.facts(object).selector);
  return { namespace: object.metadata.namespace, labelSelector };
}

/** The Events that say why probes fail. */
function ofFailedProbes({ metadata }: Live<Workload>) {
  return { namespace: metadata.namespace, fieldSelector: 'involvedObject.kind=Pod,reason=Unhealthy' };
}
