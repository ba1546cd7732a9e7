import { createClient, type PlannerSession } from '@navarch/client';
import { type ApiError, isApiError } from '@navarch/machinery';
import { ExplainResponse, type PlannerTask, PodStanding } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi } from '../api.fixture.ts';

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
  const spec = { containers: [{ name: 'c', image: 'x' }] };
  await running.client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec });
});
afterAll(() => running[Symbol.asyncDispose]());

const web = { namespace: 'default', name: 'web' };

/** A scheduler that answers what it is asked with `answer`, connected to the api at `address`. */
async function scheduler(address: string, answer: (task: PlannerTask, session: PlannerSession) => void) {
  const client = createClient({ address });
  const end = new AbortController();
  const session = await client.planning.connect(end.signal);
  session.send({ task: 0n, answer: undefined });
  const reading = (async () => {
    for await (const task of session.tasks) answer(task, session);
  })().catch(() => {});
  return {
    close: async () => {
      end.abort();
      await reading;
      client.close();
    },
  };
}

function explains(summary: string) {
  return ({ task, todo }: PlannerTask, session: PlannerSession) => {
    if (todo?.$case !== 'explain') return;
    const value = ExplainResponse.fromPartial({ summary, standing: PodStanding.HELD });
    session.send({ task, answer: { $case: 'explained', value } });
  };
}

async function ask(address: string, options: { signal?: AbortSignal } = {}): Promise<string> {
  const client = createClient({ address });
  try {
    return (await client.planning.explain(web, options)).summary;
  } catch (error) {
    if (!isApiError(error)) throw error;
    return error.reason;
  } finally {
    client.close();
  }
}

test('without a scheduler the answer is that there is none', async () => {
  expect(await ask(running.address)).toBe('Unavailable');
});

test('a scheduler is asked at a revision that has all that was committed before', async () => {
  const seen: bigint[] = [];
  const planner = await scheduler(running.address, (task, session) => {
    seen.push(task.revision);
    explains('here')(task, session);
  });
  await waitFor(async () => (await ask(running.address)) === 'here');
  const made = await running.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later' } });
  expect(await ask(running.address)).toBe('here');
  expect(seen.at(-1)).toBeGreaterThanOrEqual(made.revision);
  await planner.close();
  await waitFor(async () => (await ask(running.address)) === 'Unavailable');
});

test('with several apis the one that has the scheduler is asked, also with the bus stopped', async () => {
  const other = await startApi({ store: running.store, hub: running.hub });
  running.hub.stop();
  // What an api that died suddenly has left behind.
  await running.store.commit({
    compare: [],
    ops: [{ type: 'put', key: '/navarch-sessions/@planner/dead', value: Buffer.from('127.0.0.1:1') }],
  });
  const planner = await scheduler(other.address, explains('over there'));
  await waitFor(async () => (await ask(running.address)) === 'over there');
  await planner.close();
  running.hub.start();
  await other[Symbol.asyncDispose]();
});

test('a question that is given up is taken back, and one whose scheduler goes away is answered', async () => {
  const tasks: PlannerTask['todo'][] = [];
  const planner = await scheduler(running.address, ({ todo }) => void tasks.push(todo));
  const cancelled = new AbortController();
  const given = ask(running.address, { signal: cancelled.signal }).catch((error: ApiError) => error);
  await waitFor(() => tasks.length === 1);
  cancelled.abort();
  await given;
  await waitFor(() => tasks.at(-1)?.$case === 'cancel');
  const client = createClient({ address: running.address });
  const lost = client.planning.explain(web).catch((error: ApiError) => error);
  await waitFor(() => tasks.at(-1)?.$case === 'explain');
  await planner.close();
  expect(await lost).toMatchObject({ reason: 'Unavailable' });
  client.close();
});
