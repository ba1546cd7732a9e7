import { createWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import type { Controller } from '@navarch/controller';
import { horizontalPodAutoscaler as autoscalerKind, type KindDefinition, pod as podKind } from '@navarch/kinds';
import { ApiError, type Live } from '@navarch/machinery';
import { Fence, type HorizontalPodAutoscaler, Scale } from '@navarch/proto';
import { beforeEach, describe, expect, test } from 'vitest';
import { readCaches } from '../caches.ts';
import { now } from '../objects.fixture.ts';
import { World } from '../world.fixture.ts';
import { type AutoscalerParts, autoscalerController } from './controller.ts';
import { autoscaler, using } from './scene.fixture.ts';

/** One target, as the api's Scale shows it. */
class FakeScales {
  replicas = 2;
  revision = 10;
  asked = 0;
  readonly written: number[] = [];
  readonly kinds: string[] = [];
  failure: ApiError | undefined;

  async getScale(kind: KindDefinition): Promise<Scale> {
    this.asked++;
    this.kinds.push(kind.kind);
    return this.#scale();
  }

  /** The next write is done, but its answer is lost. */
  losesAnswer = false;

  async updateScale(_kind: KindDefinition, _key: object, replicas: number, options: { resourceVersion?: string } = {}) {
    if (this.failure !== undefined) throw this.failure;
    if (options.resourceVersion !== String(this.revision)) throw new ApiError('Conflict', 'changed meanwhile');
    this.replicas = replicas;
    this.revision++;
    this.written.push(replicas);
    if (this.losesAnswer) throw new ApiError('Unavailable', 'the answer was lost');
    return this.#scale();
  }

  #scale(): Scale {
    return Scale.fromPartial({
      metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: String(this.revision) },
      spec: { replicas: this.replicas },
      status: { replicas: this.replicas, selector: 'app=web' },
    });
  }
}

let world: World;
let scales: FakeScales;
let cpu: number | undefined;
let controller: Controller;
const signal = new AbortController().signal;

beforeEach(async () => {
  world = new World();
  world.lagMs = 0;
  scales = new FakeScales();
  cpu = 1000;
  const caches = readCaches(world);
  const heard: AutoscalerParts['heard'] = {
    usage: {
      explanation: 'NATS is away',
      listenedMs: 60_000,
      ofPod: () => {
        if (cpu === undefined) return undefined;
        const usage = { cpuNanocores: BigInt(cpu) * 1_000_000n, memoryBytes: 1n };
        return { atMs: now, windowMs: 10_000, used: [{ name: 'c', usage }] };
      },
    },
    pushed: { named: () => [], explanation: 'nobody pushed' },
  };
  const hands = { client: world.client, events: world.recorder };
  controller = autoscalerController({ caches, hands, scales, heard, syncMs: 15_000 });
  const made = autoscaler();
  await world.write(createWrite(autoscalerKind, { ...made, metadata: { ...made.metadata, resourceVersion: '' } }));
  for (const name of ['a', 'b']) {
    const { pod } = using(name, 0, { metadata: { resourceVersion: '' } });
    await world.write(createWrite(podKind, pod));
    await world.write(updateStatusWrite(podKind, pod));
  }
  await upToDate();
});

/** Until the caches show all that was written. */
async function upToDate(): Promise<void> {
  const { revision } = await world.client.list(autoscalerKind);
  await world.reached(revision, signal);
}

const look = async (atMs: number) => {
  const result = await controller.reconcile('default/web', { fence: Fence.fromPartial({}), now: atMs, signal });
  await upToDate();
  return result;
};
const shown = (): Live<HorizontalPodAutoscaler> | undefined => world.all(autoscalerKind)[0];
const active = () => shown()?.status.conditions.find(({ type }) => type === 'ScalingActive');

describe('the shell of the autoscaler', () => {
  test('scales by what it hears, says so, and looks again after its interval and not before', async () => {
    expect(await look(now)).toMatchObject({ againAfterMs: 15_000 });
    expect(scales.written).toEqual([4]);
    expect(shown()?.status).toMatchObject({ desiredReplicas: 4 });
    expect(world.events).toEqual(['SuccessfulRescale web']);
    // Its own status has changed, and it is asked again.
    expect(await look(now + 1_000)).toEqual({ againAfterMs: 14_000 });
    expect(scales.asked).toBe(1);
    await look(now + 15_000);
    expect(scales.asked).toBe(2);
  });

  test('looks at once when its spec has changed', async () => {
    await look(now);
    const object = shown();
    if (object === undefined) throw new Error('it is there');
    const spec = { ...object.spec, maxReplicas: 3 };
    const metadata = { ...object.metadata, generation: object.metadata.generation + 1 };
    await world.write(updateWrite(autoscalerKind, { ...object, metadata, spec }));
    await upToDate();
    await look(now + 1_000);
    expect(scales.written).toEqual([4, 3]);
  });

  test('holds still while nothing is heard, and says why', async () => {
    cpu = undefined;
    await look(now);
    expect(scales.written).toEqual([]);
    expect(active()).toMatchObject({ status: 'False', reason: 'FailedGetResourceMetric' });
    expect(active()?.message).toContain('NATS is away');
    cpu = 1000;
    await look(now + 15_000);
    expect(active()).toMatchObject({ status: 'True', reason: 'ValidMetricFound' });
    expect(scales.written).toEqual([4]);
  });

  test('a target that changed meanwhile is looked at anew, at once', async () => {
    scales.failure = new ApiError('Conflict', 'changed meanwhile');
    await expect(look(now)).rejects.toThrow('changed meanwhile');
    scales.failure = undefined;
    await look(now + 10);
    expect(scales.written).toEqual([4]);
  });

  test('what may have been done counts for the policies', async () => {
    scales.losesAnswer = true;
    cpu = 4000;
    await expect(look(now)).rejects.toThrow('lost');
    scales.losesAnswer = false;
    await look(now + 10);
    // Four more are all that fifteen seconds allow.
    expect(scales.written).toEqual([6]);
  });

  test('what was not done does not', async () => {
    scales.failure = new ApiError('Conflict', 'changed meanwhile');
    cpu = 4000;
    await expect(look(now)).rejects.toThrow('changed');
    scales.failure = undefined;
    await look(now + 10);
    expect(scales.written).toEqual([6]);
  });

  test('a target that refuses is left alone until the next interval, and that is said', async () => {
    scales.failure = new ApiError('Invalid', 'no more than 3');
    await look(now);
    expect(shown()?.status.conditions[0]).toMatchObject({
      type: 'AbleToScale',
      status: 'False',
      message: 'no more than 3',
    });
    expect(world.events).toEqual(['FailedUpdateScale web']);
  });

  test('what was done counts for the policies also when the status could not be written', async () => {
    const client = { ...world.client };
    Object.assign(world.client, { transact: async () => Promise.reject(new ApiError('Unavailable', 'away')) });
    await expect(look(now)).rejects.toThrow('away');
    Object.assign(world.client, client);
    expect(scales.written).toEqual([4]);
    cpu = 4000;
    await look(now + 1_000);
    // Four more than the two that there were when the fifteen seconds began.
    expect(scales.written).toEqual([4, 6]);
  });
});
