import { createInformerSet } from '@navarch/client';
import { Term } from '@navarch/controller';
import {
  claimNodeAnnotation,
  inUseFinalizer,
  lease as leaseKind,
  namespace as namespaceKind,
  node as nodeKind,
  persistentVolumeClaim,
  pod as podKind,
  podDisruptionBudget,
  podGroup,
  queue,
} from '@navarch/kinds';
import { createLogger, createMetrics, VirtualClock } from '@navarch/kit';
import { ApiError, type KubeObject, keyOf, type Live } from '@navarch/machinery';
import { Lease } from '@navarch/proto';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeCluster } from './cluster.fixture.ts';
import { claim, node, pod } from './objects.fixture.ts';
import { defaultProfiles } from './profiles.ts';
import { Scheduler } from './scheduler.ts';

const logger = createLogger({ name: 'test', level: 'silent' });
const stopping: AbortController[] = [];
afterEach(() => stopping.splice(0).forEach((controller) => controller.abort(new Error('the test is over'))));

async function start(...nodes: Parameters<typeof node>[]) {
  const cluster = new FakeCluster();
  for (const [name, shape] of nodes) cluster.put(nodeKind, node(name, shape));
  const clock = new VirtualClock();
  const abort = new AbortController();
  stopping.push(abort);
  const events: string[] = [];
  const recorder = {
    event: (_: unknown, object: KubeObject, type: string, reason: string, message: string) =>
      void events.push(`${type} ${reason} ${keyOf(object)}: ${message}`),
  };
  const metrics = createMetrics('scheduler', { process: false });
  const informers = createInformerSet({
    api: cluster,
    targets: [
      { kind: nodeKind },
      { kind: namespaceKind },
      { kind: persistentVolumeClaim },
      { kind: podDisruptionBudget },
      { kind: leaseKind },
      { kind: podGroup },
      { kind: queue },
      { kind: podKind },
    ],
    logger,
    clock,
    freeze: true,
  });
  const scheduler = new Scheduler({
    client: cluster,
    informers,
    recorder,
    profiles: defaultProfiles,
    identity: 'me',
    logger,
    metrics,
    clock,
    random: () => 0.5,
  });
  void informers.run(abort.signal);
  const lease = Lease.fromJSON({
    metadata: { name: 'scheduler', namespace: 'navarch-system', resourceVersion: '1' },
    spec: { holderIdentity: 'me', leaseTransitions: 1 },
  });
  const newTerm = () =>
    new Term({
      lease: lease as Live<Lease>,
      sentMs: clock.monotonicMs(),
      identity: 'me',
      deadlineMs: 3_600_000,
      clock,
    });
  const term = newTerm();
  // The leader's term and the replica's are two, as they are two Leases.
  const working = newTerm();
  void scheduler.lead(term);
  const worked = scheduler.work(working);
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await clock.advance(0);
  };
  await settle();
  const on = () => Object.fromEntries(cluster.pods.map(({ metadata, spec }) => [metadata?.name, spec?.nodeName]));
  return { cluster, clock, events, metrics, scheduler, informers, term, newTerm, working, worked, settle, on, abort };
}

describe('the scheduler', () => {
  test('gives each Pod a node, up to 100 in one call, and says so', async () => {
    const { cluster, events, settle, on, metrics } = await start(['n1', { pods: '200' }], ['n2', { pods: '200' }]);
    cluster.hold();
    for (let at = 0; at < 250; at++) cluster.put(podKind, pod(`p${at}`, { cpu: '10m' }));
    cluster.release();
    await settle();
    const counts = Map.groupBy(Object.values(on()), (name) => name);
    expect([counts.get('n1')?.length, counts.get('n2')?.length]).toEqual([125, 125]);
    expect(Math.max(...cluster.transactions.map((writes) => writes.length))).toBe(100);
    expect(cluster.transactions.flat()).toHaveLength(250);
    expect(events).toHaveLength(250);
    expect(events[0]).toMatch(/^Normal Scheduled default\/p0: Successfully assigned default\/p0 to n[12]$/);
    const text = await metrics.registry.metrics();
    expect(text).toContain('navarch_scheduler_attempts_total{result="scheduled",service="scheduler"} 250');
    expect(text).toContain('navarch_scheduler_pending_pods{queue="active",service="scheduler"} 0');
  });

  test('never counts on room that it has given away but does not see taken yet', async () => {
    const { cluster, settle, on } = await start(['n1', { cpu: '2' }]);
    cluster.hold();
    cluster.put(podKind, pod('a', { cpu: '1500m' }));
    cluster.release();
    await settle();
    cluster.hold(); // the cache will not show what is bound from now on
    cluster.put(podKind, pod('b', { cpu: '500m' }));
    cluster.put(podKind, pod('c', { cpu: '500m' }));
    cluster.release();
    await settle();
    expect(Object.values(on()).filter((name) => name === 'n1')).toHaveLength(2);
  });

  test('is not misled by a change from before the binding that it sees after', async () => {
    const { cluster, settle, on } = await start(['n1']);
    cluster.put(podKind, pod('a'));
    cluster.hold();
    cluster.put(podKind, pod('a', { phase: 'Pending' }));
    await settle();
    expect(on()).toEqual({ a: 'n1' });
    cluster.releaseOne();
    await settle();
    expect(cluster.transactions).toHaveLength(1);
    cluster.release();
    await settle();
    expect(cluster.transactions).toHaveLength(1);
  });

  test('says why a Pod has no node, once, and places it when that is lifted', async () => {
    const { cluster, events, clock, settle, on } = await start(
      ['n1', { cpu: '1' }],
      ['n2', { labels: { disk: 'hdd' } }],
    );
    cluster.put(podKind, pod('big', { cpu: '2', selector: { disk: 'ssd' } }));
    await settle();
    const message = "0/2 nodes are available: 2 node(s) didn't match node selector.";
    expect(events).toEqual([`Warning FailedScheduling default/big: ${message}`]);
    expect(cluster.pod('big')?.status?.conditions).toMatchObject([
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
    ]);
    const writes = cluster.transactions.length;
    await clock.advance(61_000);
    await settle(); // tried again, the same came out: nothing is written
    expect(cluster.transactions).toHaveLength(writes);

    cluster.put(nodeKind, node('n1', { cpu: '1', labels: { disk: 'ssd' } }));
    await clock.advance(11_000);
    await settle();
    expect(cluster.pod('big')?.status?.conditions[0]?.message).toBe(
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match node selector.",
    );
    cluster.put(nodeKind, node('n1', { cpu: '4', labels: { disk: 'ssd' } }));
    await clock.advance(11_000);
    await settle();
    expect(on()).toEqual({ big: 'n1' });
  });

  test('places a waiting Pod when another leaves', async () => {
    const { cluster, clock, settle, on } = await start(['n1', { cpu: '1' }]);
    const first = pod('first', { cpu: '1' });
    cluster.put(podKind, first);
    await settle();
    cluster.put(podKind, pod('second', { cpu: '1' }));
    await settle();
    await clock.advance(5_000);
    await settle();
    expect(on()).toEqual({ first: 'n1', second: '' });
    cluster.remove(podKind, first);
    await settle();
    expect(on()).toEqual({ second: 'n1' });
  });

  test('makes room for a more important Pod: the lesser one is told for whom, and goes', async () => {
    const { cluster, settle, on, events } = await start(['n1', { cpu: '1' }]);
    cluster.put(podKind, pod('lesser', { cpu: '1' }));
    await settle();
    cluster.put(podKind, pod('important', { cpu: '1', priority: 100 }));
    await settle();
    expect(cluster.pod('important')?.status?.nominatedNodeName).toBe('n1');
    const steps = cluster.transactions.slice(1).map((writes) => writes.map(({ type }) => type));
    // It is bound as soon as the lesser one has left.
    expect(steps).toEqual([['updateStatus'], ['check', 'updateStatus'], ['delete'], ['bind']]);
    expect(events).toContain(
      'Normal Preempted default/lesser: Makes room for default/important, which is more important, on node n1',
    );
    expect(on()).toEqual({ important: 'n1' });
  });

  test('makes as many go as it takes, in several transactions', async () => {
    const { cluster, settle, on } = await start(['n1', { cpu: '250', pods: '250' }]);
    for (let at = 0; at < 250; at++) cluster.put(podKind, pod(`p${at}`, { cpu: '1', on: 'n1' }));
    await settle();
    cluster.put(podKind, pod('important', { cpu: '230', priority: 100 }));
    await settle();
    expect(on()['important']).toBe('n1');
    expect(cluster.pods).toHaveLength(21);
    expect(Math.max(...cluster.transactions.map((writes) => writes.length))).toBeLessThanOrEqual(100);
  });

  test('keeps the room while the lesser one ends: nobody else gets it, and nobody else has to go', async () => {
    const { cluster, clock, settle, on } = await start(['n1', { cpu: '1' }], ['n2', { cpu: '1' }]);
    cluster.lingering = true;
    for (const name of ['a', 'b']) cluster.put(podKind, pod(name, { cpu: '1' }));
    await settle();
    cluster.put(podKind, pod('important', { cpu: '1', priority: 100 }));
    await settle();
    const node = cluster.pod('important')?.status?.nominatedNodeName ?? '';
    const victim = cluster.pods.find(({ metadata }) => metadata?.deletionTimestamp !== '');
    expect(victim?.spec?.nodeName).toBe(node);
    cluster.put(podKind, pod('late', { cpu: '1' }));
    await clock.advance(61_000);
    await settle();
    expect(cluster.pods.filter(({ metadata }) => metadata?.deletionTimestamp !== '')).toEqual([victim]);
    if (victim) cluster.remove(podKind, victim);
    await clock.advance(20_000);
    await settle();
    expect([on()['important'], on()['late']]).toEqual([node, '']);
  });

  test('chooses nobody else while it has not heard that those it chose are leaving', async () => {
    const { cluster, clock, settle } = await start(['n1', { cpu: '1' }], ['n2', { cpu: '1' }]);
    cluster.lingering = true;
    for (const name of ['a', 'b']) cluster.put(podKind, pod(name, { cpu: '1' }));
    await settle();
    cluster.put(podKind, pod('important', { cpu: '1', priority: 100 }));
    cluster.hold();
    await settle();
    await clock.advance(61_000);
    await settle();
    expect(cluster.transactions.flat().filter(({ type }) => type === 'delete')).toHaveLength(1);
  });

  test('makes room at once: its own replica, which could not place the Pod, hands it over', async () => {
    const { cluster, clock, settle, on } = await start(['n1', { cpu: '1' }]);
    cluster.put(podKind, pod('lesser', { cpu: '1' }));
    await settle();
    cluster.put(podKind, pod('important', { cpu: '1', priority: 100 }));
    const startMs = clock.monotonicMs();
    await settle();
    expect(cluster.pod('lesser')).toBeUndefined();
    expect(on()).toEqual({ important: 'n1' });
    expect(clock.monotonicMs()).toBe(startMs);
  });

  test('asks nobody to go for a Pod that is not to push others out', async () => {
    const { cluster, settle, on } = await start(['n1', { cpu: '1' }]);
    cluster.put(podKind, pod('lesser', { cpu: '1' }));
    await settle();
    cluster.put(podKind, pod('modest', { cpu: '1', priority: 100, policy: 'Never' }));
    await settle();
    expect(on()).toEqual({ lesser: 'n1', modest: '' });
  });

  test('keeps room that an earlier leader made', async () => {
    const { cluster, clock, settle, on } = await start(['n1', { cpu: '1' }]);
    cluster.hold();
    cluster.put(podKind, pod('leaving', { cpu: '1', on: 'n1', going: true }));
    cluster.put(podKind, pod('important', { cpu: '1', priority: 100, nominated: 'n1' }));
    cluster.put(podKind, pod('other', { cpu: '1' }));
    cluster.release();
    await settle();
    const leaving = cluster.pod('leaving');
    if (leaving) cluster.remove(podKind, leaving);
    await clock.advance(20_000);
    await settle();
    expect(on()).toEqual({ important: 'n1', other: '' });
  });

  test('leaves Pods alone that another scheduler places, that end, or that have a node', async () => {
    const { cluster, settle } = await start(['n1']);
    cluster.put(podKind, pod('other', { scheduler: 'somebody-else' }));
    const ending = pod('ending');
    ending.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    cluster.put(podKind, ending);
    cluster.put(podKind, pod('placed', { on: 'n7' }));
    await settle();
    expect(cluster.transactions).toEqual([]);
  });

  test('chooses by the profile that the Pod names', async () => {
    const { cluster, settle, on } = await start(['n1'], ['n2'], ['n3']);
    for (const name of ['a', 'b', 'c', 'd']) cluster.put(podKind, pod(name, { scheduler: 'round-robin', cpu: '1' }));
    await settle();
    expect(on()).toEqual({ a: 'n1', b: 'n2', c: 'n3', d: 'n1' });
    for (const name of ['e', 'f']) cluster.put(podKind, pod(name, { scheduler: 'least-remaining', cpu: '1' }));
    await settle();
    expect(on()).toMatchObject({ e: 'n1', f: 'n1' });
  });

  test('one that is refused does not hold up the others, and is tried again', async () => {
    const { cluster, clock, settle, on } = await start(['n1', { cpu: '8' }]);
    cluster.put(podKind, pod('a'));
    cluster.put(podKind, pod('b'));
    // The scheduler decides on what it saw, but one of them has got another uid meanwhile.
    cluster.hold();
    cluster.put(podKind, pod('b', { uid: 'another' }));
    await settle();
    expect(on()).toEqual({ a: 'n1', b: '' });
    cluster.release();
    await clock.advance(2_000);
    await settle();
    expect(on()).toEqual({ a: 'n1', b: 'n1' });
  });

  test('a call whose outcome is unknown: what was done stays, what was not is done again', async () => {
    for (const done of [true, false]) {
      const { cluster, clock, events, settle, on } = await start(['n1', { cpu: '1' }]);
      cluster.failures.push({ error: new ApiError('Unavailable', 'the connection was lost'), done });
      cluster.put(podKind, pod('a', { cpu: '1' }));
      await settle();
      await clock.advance(5_000);
      await settle();
      expect(on()).toEqual({ a: 'n1' });
      expect(events.filter((event) => event.includes(' Scheduled '))).toHaveLength(1);
      expect(cluster.transactions.flat().filter(({ type }) => type === 'bind')).toHaveLength(1);
    }
  });

  test('a choice of the leader is given back only once it can no longer be bound', async () => {
    const { cluster, clock, settle, on } = await start(['n1'], ['n2']);
    const topologyKey = 'kubernetes.io/hostname';
    const apart = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } };
    const db = (name: string) => pod(name, { labels: { app: 'db' }, affinity });
    cluster.put(podKind, db('a'));
    await settle();
    expect(on()['a']).toMatch(/n[12]/);
    cluster.failures.push({ error: new ApiError('Timeout', 'no answer'), done: 'later' });
    cluster.put(podKind, db('b'));
    await settle();
    // The room is free for others now: what is still on its way must not take it.
    expect(cluster.deliverLate()).toMatchObject([{ ok: false, error: { reason: 'Conflict' } }]);
    expect(on()['b']).toBe('');
    await clock.advance(2_000);
    await settle();
    expect(new Set(Object.values(on()))).toEqual(new Set(['n1', 'n2']));
  });

  test('settles new claims and their Pod on one node in one call, and later Pods follow', async () => {
    const { cluster, settle, on, clock } = await start(['n1'], ['n2']);
    cluster.put(podKind, pod('db', { claims: ['data'] }));
    await settle();
    expect(cluster.pod('db')?.status?.conditions[0]?.message).toBe(
      '0/2 nodes are available: 2 claim data is not there.',
    );
    cluster.put(persistentVolumeClaim, claim('data'));
    await clock.advance(2_000);
    await settle();
    const home = on()['db'] ?? '';
    const { metadata } = await cluster.get(persistentVolumeClaim, { namespace: 'default', name: 'data' });
    expect(metadata).toMatchObject({ annotations: { [claimNodeAnnotation]: home }, finalizers: [inUseFinalizer] });
    expect(cluster.transactions.at(-1)?.map(({ type }) => type)).toEqual(['update', 'bind']);
    cluster.put(podKind, pod('other', { claims: ['data'] }));
    await settle();
    expect(on()['other']).toBe(home);
    expect(cluster.transactions.at(-1)?.map(({ type }) => type)).toEqual(['bind']);
  });

  test('a claim that was settled elsewhere meanwhile takes its Pod there', async () => {
    const { cluster, settle, on, clock } = await start(['n1', { cpu: '1' }], ['n2', { cpu: '8' }]);
    cluster.put(persistentVolumeClaim, claim('data'));
    await settle();
    cluster.putUnheard(persistentVolumeClaim, claim('data', { node: 'n1' }));
    cluster.put(podKind, pod('db', { cpu: '500m', claims: ['data'] }));
    await settle();
    expect(on()).toEqual({ db: '' });
    cluster.put(persistentVolumeClaim, claim('data', { node: 'n1' }));
    await clock.advance(2_000);
    await settle();
    expect(on()).toEqual({ db: 'n1' });
  });

  test('a replica that is fenced stops, and its next term goes on where it was', async () => {
    const { cluster, clock, scheduler, settle, on, newTerm, working, worked } = await start(['n1', { cpu: '1' }]);
    cluster.failures.push({ error: new ApiError('Fenced', 'somebody else leads'), done: false });
    cluster.put(podKind, pod('a', { cpu: '1' }));
    await settle();
    await worked;
    expect(working.lost).toBe('somebody else leads');
    await clock.advance(10_000);
    await settle();
    expect(on()).toEqual({ a: '' });
    void scheduler.work(newTerm());
    await settle();
    expect(on()).toEqual({ a: 'n1' });
  });
});
