/**
 * One node's network as a process of its own, for tests that start it inside a network namespace. Reads what the caches
 * shall show, a JSON document a line, and answers each line with one: when the kernel shows it, or how a Pod's end went.
 */
import { createInterface } from 'node:readline';
import { endpointSlice, node, pod, service } from '@navarch/kinds';
import { createLogger, createMetrics } from '@navarch/kit';
import { EndpointSlice, Node, Pod, Service } from '@navarch/proto';
import { FixedInformers } from './informers.fixture.ts';
import { Network } from './network.ts';

/** As manifests. */
export interface World {
  readonly services: readonly unknown[];
  readonly endpointSlices: readonly unknown[];
  readonly nodes: readonly unknown[];
  readonly pods: readonly unknown[];
}
export type Request = { readonly show: World } | { readonly removed: string; readonly longestMs: number };

const [nodeName = '', nodeIp = '', directory = '', resolvConf = ''] = process.argv.slice(2);
const life = new AbortController();
const informers = new FixedInformers();
const network = new Network({
  informers,
  nodeName,
  nodeIp,
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  clusterDns: '10.96.0.10',
  stateDir: directory,
  cniConfDir: `${directory}/cni`,
  resolvConf,
  reservedPorts: [7400],
  logger: createLogger({ name: nodeName, level: 'warn' }),
  metrics: createMetrics(nodeName, { process: false }),
});
await network.start(life.signal);
for await (const line of createInterface(process.stdin)) {
  const request = JSON.parse(line) as Request; // the test speaks this type
  const startedMs = performance.now();
  if ('show' in request) {
    informers.set(
      service,
      request.show.services.map((object) => Service.fromJSON(object)),
    );
    informers.set(
      endpointSlice,
      request.show.endpointSlices.map((object) => EndpointSlice.fromJSON(object)),
    );
    informers.set(
      pod,
      request.show.pods.map((object) => Pod.fromJSON(object)),
    );
    informers.set(
      node,
      request.show.nodes.map((object) => Node.fromJSON(object)),
    );
    await network.applied(life.signal);
  } else {
    await network.endpointRemoved(request.removed, request.longestMs, life.signal);
  }
  process.stdout.write(`${Math.round(performance.now() - startedMs)}\n`);
}
life.abort();
await network.stop();
