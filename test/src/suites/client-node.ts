import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  CoreV1Api,
  Exec,
  KubeConfig,
  makeInformer,
  type V1ConfigMap,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';
import { createLogger } from '@navarch/kit';
import { EtcdStore } from '@navarch/store';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { podReady } from '../pods.ts';

const namespace = 'default';
const path = `/api/v1/namespaces/${namespace}/configmaps`;

/** The JavaScript client of the Kubernetes project, which programs in a cluster use. */
export function clientNode(cluster: () => Cluster): void {
  describe('@kubernetes/client-node', () => {
    const config = new KubeConfig();
    let core: CoreV1Api;
    beforeAll(async () => {
      config.loadFromString(await cluster().navctl('kubeconfig'));
      core = config.makeApiClient(CoreV1Api);
    });
    const create = (name: string, labels: Record<string, string> = {}) =>
      core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels }, data: { name } } });
    const inTens = async (count: number, work: (index: number) => Promise<unknown>) => {
      for (let first = 0; first < count; first += 10) {
        await Promise.all(Array.from({ length: 10 }, (_, index) => work(first + index)));
      }
    };

    test('a large list comes in chunks of one moment', async () => {
      const labels = { suite: 'chunks' };
      await inTens(120, (index) => create(`chunk-${String(index).padStart(3, '0')}`, labels));
      const names: string[] = [];
      const revisions = new Set<string | undefined>();
      let next: string | undefined;
      do {
        const page = await core.listNamespacedConfigMap({
          namespace,
          labelSelector: 'suite=chunks',
          limit: 50,
          ...(next && { _continue: next }),
        });
        expect(page.items.length).toBeLessThanOrEqual(50);
        names.push(...page.items.map(({ metadata }) => metadata?.name ?? ''));
        revisions.add(page.metadata?.resourceVersion);
        next = page.metadata?._continue;
        // Of what comes between two chunks the list knows nothing.
        await create(`chunk-late-${names.length}`, labels);
      } while (next);
      expect(names).toEqual(Array.from({ length: 120 }, (_, index) => `chunk-${String(index).padStart(3, '0')}`));
      expect(revisions.size).toBe(1);
      await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'suite=chunks' });
    });

    test('an informer misses nothing while the gateway is killed and comes back', async () => {
      const informer = makeInformer<V1ConfigMap>(
        config,
        path,
        () => core.listNamespacedConfigMap({ namespace, labelSelector: 'suite=informer' }),
        'suite=informer',
      );
      const restarts = new AbortController();
      // As its documentation advises: what ended in an error is started again after a while.
      informer.on('error', () => {
        if (!restarts.signal.aborted) setTimeout(() => void informer.start(), 200);
      });
      await informer.start();
      const names = () => informer.list(namespace).map(({ metadata }) => metadata?.name);
      const labelled = (name: string) =>
        cluster()
          .navctl('create', 'configmap', name)
          .then(() => cluster().navctl('label', 'configmap', name, 'suite=informer'));
      try {
        await create('before', { suite: 'informer' });
        await waitFor(() => names().includes('before'), { timeoutMs: 10_000, what: 'the first one' });
        const killed = cluster().kill('gateway');
        await labelled('during');
        await cluster().navctl('delete', 'configmap', 'before');
        await waitFor(() => ![undefined, killed].includes(cluster().pid('gateway')), {
          timeoutMs: 20_000,
          what: 'a new gateway',
        });
        await waitFor(() => names().join() === 'during', { timeoutMs: 20_000, what: 'what happened meanwhile' });
        await labelled('after');
        await waitFor(() => names().includes('after'), { timeoutMs: 10_000, what: 'what happens now' });
        expect(new Set(names())).toEqual(new Set(['during', 'after']));
      } finally {
        restarts.abort();
        await informer.stop();
      }
    });

    test('a watch from before what is kept is told that it expired', async () => {
      const { metadata } = await core.listNamespacedConfigMap({ namespace });
      const old = metadata?.resourceVersion;
      const { metadata: made } = await create('newer-than-the-watch');
      const store = new EtcdStore({
        endpoints: '127.0.0.1:7420',
        logger: createLogger({ name: 'test', level: 'silent' }),
      });
      await store.compact(BigInt(made?.resourceVersion ?? 0));
      await store.close();
      cluster().kill('api'); // and what it remembered with it
      await waitFor(async () => (await cluster().tryNavctl(['get', 'configmaps'])).code === 0, {
        timeoutMs: 30_000,
        intervalMs: 200,
        what: 'the api to be back',
      });
      const events: { phase: string; code?: number; reason?: string }[] = [];
      const ended = Promise.withResolvers<unknown>();
      await new Watch(config).watch(
        path,
        { resourceVersion: old },
        (phase, object: { code?: number; reason?: string }) =>
          events.push({ phase, ...(object.code && { code: object.code, reason: object.reason ?? '' }) }),
        ended.resolve,
      );
      await ended.promise;
      expect(events).toEqual([{ phase: 'ERROR', code: 410, reason: 'Expired' }]);
    });

    describe('exec', () => {
      afterAll(() => cluster().tryNavctl(['delete', '-f', 'test/manifests/client.yaml', '--grace-period=1']));

      test('brings input in, output out, and the exit code back', async () => {
        await cluster().navctl('apply', '-f', 'test/manifests/client.yaml');
        await podReady(cluster(), 'client');
        const [stdout, stderr, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()];
        const status = Promise.withResolvers<V1Status>();
        const command = ['sh', '-c', 'read line; echo "got $line"; echo oops >&2; exit 3'];
        await new Exec(config).exec(
          namespace,
          'client',
          'shell',
          command,
          stdout,
          stderr,
          stdin,
          false,
          status.resolve,
        );
        stdin.write('ahoy\n');
        const { reason, details } = await status.promise;
        stdout.end();
        stderr.end();
        expect({ out: await text(stdout), err: await text(stderr) }).toEqual({ out: 'got ahoy\n', err: 'oops\n' });
        expect(reason).toBe('NonZeroExitCode');
        expect(details?.causes).toEqual([{ reason: 'ExitCode', message: '3' }]);
      });
    });
  });
}
