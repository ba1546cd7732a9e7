import { afterAll, beforeAll, describe } from 'vitest';
import { type Cluster, type Part, startCluster } from './cluster.ts';
import { autoscaling } from './suites/autoscaling.ts';
import { badInput } from './suites/bad-input.ts';
import { disruption } from './suites/disruption.ts';
import { daemons } from './suites/daemons.ts';
import { documents } from './suites/documents.ts';
import { healing } from './suites/healing.ts';
import { releases } from './suites/releases.ts';
import { jobs } from './suites/jobs.ts';
import { rollout } from './suites/rollout.ts';
import { serving } from './suites/serving.ts';
import { stateful } from './suites/stateful.ts';
import { storage } from './suites/storage.ts';
import { streams } from './suites/streams.ts';
import { workloads } from './suites/workloads.ts';

const everything: readonly Part[] = ['api', 'scheduler', 'controller-manager', 'node-agent', 'etcd'];

/** Ten and fifteen seconds are long for who waits for the third look. */
const quick = { NAVARCH_USAGE_MS: '2s', NAVARCH_AUTOSCALE_MS: '2s' };

// NATS is never the truth: without it everything works as well, if later.
describe.each([
  { name: 'with NATS', without: [], parts: [...everything, 'nats'] as const },
  { name: 'with NATS stopped', without: ['nats'] as const, parts: everything },
])('a cluster $name', ({ without, parts }) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ example: true, without, env: quick });
  });
  afterAll(() => cluster?.remove());

  serving(() => cluster);
  workloads(() => cluster);
  // Nothing of it goes over the bus.
  if (without.length === 0) streams(() => cluster);
  badInput(() => cluster);
  rollout(() => cluster);
  disruption(() => cluster);
  releases(() => cluster);
  stateful(() => cluster);
  autoscaling(() => cluster, parts);
  daemons(() => cluster);
  storage(() => cluster);
  jobs(() => cluster);
  healing(() => cluster, parts);
  documents(() => cluster);
});
