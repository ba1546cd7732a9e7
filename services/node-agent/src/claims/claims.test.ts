import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, InformerSet } from '@navarch/client';
import { claimNodeAnnotation, inUseFinalizer, persistentVolumeClaim } from '@navarch/kinds';
import { createLogger, systemClock } from '@navarch/kit';
import { ApiError, keyString, type Live } from '@navarch/machinery';
import { PersistentVolumeClaim, type Pod, Volume } from '@navarch/proto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aPod } from '../pod/pod.fixture.ts';
import { ClaimDirectories } from './claim-directories.ts';
import { ClaimKeeper } from './claim-keeper.ts';
import { NodeClaims } from './claim-source.ts';

type Claim = Live<PersistentVolumeClaim>;

let dir: string;
let directories: ClaimDirectories;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nv-claims-'));
  directories = new ClaimDirectories(join(dir, 'claims'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Shape {
  readonly uid?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly deleted?: boolean;
  readonly storageClassName?: string;
}

function claim({ uid = 'c1', node, phase = '', deleted = false, storageClassName = 'local' }: Shape = {}): Claim {
  const made = PersistentVolumeClaim.fromJSON({
    metadata: {
      name: 'data',
      namespace: 'default',
      uid,
      resourceVersion: '5',
      deletionTimestamp: deleted ? '2026-01-01T00:00:00Z' : '',
      annotations: node === undefined ? {} : { [claimNodeAnnotation]: node },
    },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName },
    status: { phase, nodeName: phase === '' ? '' : (node ?? '') },
  });
  return made as Claim; // all that Live promises is given
}

/** The api's part: claims, and what was written of them. */
function apiWith(...claims: readonly Claim[]) {
  const present = new Map(claims.map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each]));
  const writes: string[] = [];
  const write = (type: string) => async (_kind: unknown, object: unknown) => {
    const next = object as Claim; // nothing else is written here
    writes.push(type);
    present.set(`${next.metadata.namespace}/${next.metadata.name}`, next);
    return next;
  };
  const get = async (_kind: unknown, key: { namespace?: string; name: string }) => {
    const found = present.get(keyString({ namespace: '', ...key }));
    if (found === undefined) throw new ApiError('NotFound', 'no such claim');
    return found;
  };
  // Nothing else is called.
  const client = { get, update: write('update'), updateStatus: write('status') } as unknown as Client;
  return { client, present, writes, now: () => present.get('default/data') };
}

describe('the storage of a claim', () => {
  const at = (api: ReturnType<typeof apiWith>) => new NodeClaims({ client: api.client, directories, nodeName: 'n1' });

  test("is made at first use: a directory that all may write to, in one that is only root's", async () => {
    const api = apiWith(claim({ node: 'n1' }));
    const path = await at(api).directory('default', 'data');
    expect((await stat(path)).mode & 0o777).toBe(0o777);
    expect((await stat(join(dir, 'claims'))).mode & 0o777).toBe(0o700);
    expect(api.now()?.status).toMatchObject({
      phase: 'Bound',
      nodeName: 'n1',
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
    });
  });

  test('is there again for the next Pod, with what was in it, and nothing is written', async () => {
    const api = apiWith(claim({ node: 'n1' }));
    await writeFile(join(await at(api).directory('default', 'data'), 'x'), 'kept');
    api.writes.length = 0;
    expect(await readFile(join(await at(api).directory('default', 'data'), 'x'), 'utf8')).toBe('kept');
    expect(api.writes).toEqual([]);
  });

  test('is told to be there by the next agent, when this one died before it could', async () => {
    await directories.make({ namespace: 'default', name: 'data', uid: 'c1' });
    const api = apiWith(claim({ node: 'n1' }));
    await at(api).directory('default', 'data');
    expect(api.now()?.status.phase).toBe('Bound');
  });

  test('is here for a Pod that came without the scheduler', async () => {
    const api = apiWith(claim());
    await at(api).directory('default', 'data');
    expect(api.now()?.metadata).toMatchObject({
      annotations: { [claimNodeAnnotation]: 'n1' },
      finalizers: [inUseFinalizer],
    });
    expect(api.writes).toEqual(['update', 'status']);
  });

  test.each([
    { name: 'there is no such claim', api: apiWith(), message: 'claim "data" not found' },
    { name: 'it is elsewhere', api: apiWith(claim({ node: 'n2' })), message: 'lives on node "n2"' },
    { name: 'it goes', api: apiWith(claim({ node: 'n1', deleted: true })), message: 'is being deleted' },
    {
      name: 'it was here and is lost',
      api: apiWith(claim({ node: 'n1', phase: 'Bound' })),
      message: 'no longer on node',
    },
    {
      name: 'there is no such class',
      api: apiWith(claim({ storageClassName: 'gp2' })),
      message: 'storage class "gp2"',
    },
  ])('is refused when $name, and nothing is made', async ({ api, message }) => {
    await expect(at(api).directory('default', 'data')).rejects.toThrow(message);
    expect(api.writes).toEqual([]);
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('the data of a claim', () => {
  const keeper = (api: ReturnType<typeof apiWith>, shown: readonly Claim[], pods: readonly Pod[] = []) => {
    const lister = (kind: unknown) => (kind === persistentVolumeClaim ? { get: () => shown[0] } : { list: () => pods });
    // Nothing else is asked.
    const informers = { lister, onChange: () => {} } as unknown as InformerSet;
    const logger = createLogger({ name: 'test', level: 'silent' });
    return new ClaimKeeper({ client: api.client, informers, directories, clock: systemClock, logger });
  };
  const user = aPod({ volumes: [Volume.fromPartial({ name: 'v', persistentVolumeClaim: { claimName: 'data' } })] });

  test.each<{ name: string; api: Claim[]; shown: Claim[]; pods?: Pod[]; removed: string[] }>([
    { name: 'stays while the claim is there', api: [claim()], shown: [claim()], removed: [] },
    { name: 'stays while only the cache does not show the claim', api: [claim()], shown: [], removed: [] },
    { name: 'stays while a Pod here uses it', api: [], shown: [], pods: [user], removed: [] },
    { name: 'goes with the claim', api: [], shown: [], removed: ['default/data'] },
    {
      name: 'goes when another claim has its name',
      api: [claim({ uid: 'c2' })],
      shown: [claim({ uid: 'c2' })],
      removed: ['default/data'],
    },
  ])('$name', async ({ api, shown, pods = [], removed }) => {
    await writeFile(join(await directories.make({ namespace: 'default', name: 'data', uid: 'c1' }), 'x'), '');
    expect(await keeper(apiWith(...api), shown, pods).sweep()).toEqual(removed);
    expect(await readdir(join(dir, 'claims'))).toEqual(removed.length === 0 ? ['c1'] : []);
  });

  test('stays while the api can not be asked', async () => {
    await directories.make({ namespace: 'default', name: 'data', uid: 'c1' });
    const api = apiWith();
    const client = { get: async () => Promise.reject(new ApiError('Unavailable', 'away')) } as unknown as Client;
    await expect(keeper({ ...api, client }, []).sweep()).rejects.toThrow('away');
    expect(await directories.find('c1')).toBeDefined();
  });

  test('goes on going after a crash in the middle', async () => {
    await directories.make({ namespace: 'default', name: 'data', uid: 'c1.removed' });
    await keeper(apiWith(), []).sweep();
    expect(await readdir(join(dir, 'claims'))).toEqual([]);
  });
});
