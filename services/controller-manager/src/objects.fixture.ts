/** Objects as the caches would show them, and plans as short lines, for tests. */
import type { ClientWrite } from '@navarch/client';
import type { Live } from '@navarch/machinery';
import {
  Condition,
  Deployment,
  EndpointSlice,
  Node,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Service,
} from '@navarch/proto';
import { timestamp } from './time.ts';

export const now = Date.UTC(2026, 0, 1, 12);

type Partial<T> = NonNullable<Parameters<{ fromPartial(object: T): unknown }['fromPartial']>[0]>;
type PartialOf<C extends { fromPartial(object: never): unknown }> = Parameters<C['fromPartial']>[0];

export function agoMs(ms: number): string {
  return timestamp(now - ms);
}

export function condition(type: string, status: string, more: Partial<PartialOf<typeof Condition>> = {}): Condition {
  return Condition.fromPartial({ type, status, lastTransitionTime: agoMs(60_000), ...more });
}

/** Everything that Live promises is given by the callers below; the message types can't say so. */
export function live<T>(object: T): Live<T> {
  return object as Live<T>;
}

export function pod(
  name: string,
  more: PartialOf<typeof Pod> & { ready?: boolean; readyForMs?: number } = {},
): Live<Pod> {
  const { ready = true, readyForMs = 60_000, ...rest } = more;
  return live(
    Pod.fromPartial({
      ...rest,
      metadata: {
        name,
        namespace: 'default',
        uid: `uid-${name}`,
        resourceVersion: '5',
        labels: { app: 'web' },
        ...rest.metadata,
      },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'nginx' }], ...rest.spec },
      status: {
        phase: 'Running',
        podIp: '10.244.0.5',
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: agoMs(readyForMs) }],
        ...rest.status,
      },
    }),
  );
}

export function replicaSet(name: string, more: PartialOf<typeof ReplicaSet> = {}): Live<ReplicaSet> {
  return live(
    ReplicaSet.fromPartial({
      ...more,
      metadata: {
        name,
        namespace: 'default',
        uid: `uid-${name}`,
        resourceVersion: '5',
        generation: 1,
        labels: { app: 'web' },
        ...more.metadata,
      },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
        ...more.spec,
      },
      status: { ...more.status },
    }),
  );
}

export function deployment(more: PartialOf<typeof Deployment> = {}): Live<Deployment> {
  return live(
    Deployment.fromPartial({
      ...more,
      metadata: {
        name: 'web',
        namespace: 'default',
        uid: 'uid-web',
        resourceVersion: '5',
        generation: 1,
        ...more.metadata,
      },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
        ...more.spec,
      },
      status: { ...more.status },
    }),
  );
}

export function service(more: PartialOf<typeof Service> = {}): Live<Service> {
  return live(
    Service.fromPartial({
      ...more,
      metadata: { name: 'web', namespace: 'default', uid: 'uid-svc', resourceVersion: '5', ...more.metadata },
      spec: { selector: { app: 'web' }, clusterIp: '10.96.0.20', ports: [{ port: 80, targetPort: 80 }], ...more.spec },
      status: { ...more.status },
    }),
  );
}

export function budget(more: PartialOf<typeof PodDisruptionBudget> = {}): Live<PodDisruptionBudget> {
  return live(
    PodDisruptionBudget.fromPartial({
      ...more,
      metadata: { name: 'web', namespace: 'default', uid: 'uid-pdb', resourceVersion: '5', generation: 1 },
      spec: { selector: { matchLabels: { app: 'web' } }, ...more.spec },
      status: { ...more.status },
    }),
  );
}

export function slice(name: string, more: PartialOf<typeof EndpointSlice> = {}): Live<EndpointSlice> {
  const metadata = { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '5', ...more.metadata };
  return live(EndpointSlice.fromPartial({ addressType: 'IPv4', ...more, metadata }));
}

export function node(name: string, more: PartialOf<typeof Node> & { ready?: string } = {}): Live<Node> {
  const { ready = 'True', ...rest } = more;
  return live(
    Node.fromPartial({
      ...rest,
      metadata: { name, uid: `uid-${name}`, resourceVersion: '5', ...rest.metadata },
      spec: { ...rest.spec },
      status: {
        conditions:
          ready === ''
            ? []
            : [{ type: 'Ready', status: ready, reason: ready === 'Unknown' ? 'NodeStatusUnknown' : 'x' }],
        ...rest.status,
      },
    }),
  );
}

/** Writes as lines that a reader takes in at a glance: `create pod web-abc`, `update replicaset web-1`. */
export function lines(writes: readonly ClientWrite[]): string[] {
  return writes.map((write) => {
    if (write.type === 'bind') return 'bind';
    const name = 'object' in write ? write.object.metadata?.name : write.key.name;
    return `${write.type} ${write.kind.singular} ${name}`;
  });
}
