/** Pods and nodes for tests, as the api would serve them. */
import {
  claimNodeAnnotation,
  liveObject,
  node as nodeKind,
  persistentVolumeClaim,
  pod as podKind,
  toResource,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Affinity, Node, PersistentVolumeClaim, Pod } from '@navarch/proto';
import { type NodeFacts, nodeFacts } from './node-info.ts';
import { type PodInfo, toPodInfo } from './pod-info.ts';
import { Snapshot } from './snapshot.ts';

export interface PodShape {
  readonly affinity?: Parameters<typeof Affinity.fromPartial>[0];
  readonly claims?: readonly string[];
  readonly priority?: number;
  readonly overhead?: Readonly<Record<string, string>>;
  readonly policy?: string;
  readonly since?: string;
  readonly going?: boolean;
  readonly nominated?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spread?: readonly object[];
  readonly uid?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly disk?: string;
  /** Further requests. */
  readonly more?: Readonly<Record<string, string>>;
  /** Of an init container. */
  readonly init?: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly selector?: Record<string, string>;
  readonly hostPort?: number;
  readonly scheduler?: string;
  readonly on?: string;
  readonly phase?: string;
  readonly tolerations?: readonly object[];
}

export function pod(name: string, shape: PodShape = {}): Live<Pod> {
  const {
    cpu,
    memory,
    disk,
    selector = {},
    hostPort,
    scheduler,
    on = '',
    phase = 'Pending',
    uid = name,
    claims = [],
    more = {},
    init,
    image = 'busybox',
  } = shape;
  const requests = Object.fromEntries(
    Object.entries({ cpu, memory, 'ephemeral-storage': disk, ...more }).filter(([, amount]) => amount !== undefined),
  );
  const { tolerations = [], affinity } = shape;
  const ports = hostPort === undefined ? [] : [{ containerPort: 80, hostPort }];
  return live(
    podKind,
    Pod.fromJSON({
      metadata: {
        name,
        namespace: 'default',
        uid,
        labels: shape.labels ?? {},
        generation: on === '' ? 1 : 2,
        creationTimestamp: shape.since ?? '2026-01-01T00:00:00Z',
        ...(shape.going && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      },
      spec: {
        containers: [{ name: 'main', image, resources: { requests }, ports }],
        initContainers: init === undefined ? [] : [{ name: 'init', image, resources: { requests: init } }],
        nodeSelector: selector,
        ...(affinity && { affinity: Affinity.toJSON(Affinity.fromPartial(affinity)) }),
        volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
        tolerations,
        priority: shape.priority,
        overhead: shape.overhead ?? {},
        preemptionPolicy: shape.policy,
        topologySpreadConstraints: shape.spread ?? [],
        nodeName: on,
        schedulerName: scheduler,
      },
      status: { phase, nominatedNodeName: shape.nominated ?? '' },
    }),
  );
}

export interface NodeShape {
  readonly cpu?: string;
  readonly memory?: string;
  readonly disk?: string;
  readonly pods?: string;
  readonly labels?: Record<string, string>;
  readonly weight?: string;
  readonly ready?: boolean;
  readonly unschedulable?: boolean;
  readonly taints?: readonly object[];
  /** What else is allocatable. */
  readonly more?: Readonly<Record<string, string>>;
  /** In bytes, by name. */
  readonly images?: Readonly<Record<string, number>>;
}

export function node(name: string, shape: NodeShape = {}): Live<Node> {
  const { cpu = '4', memory = '8Gi', disk = '100Gi', pods = '110', labels = {}, ready = true } = shape;
  return live(
    nodeKind,
    Node.fromJSON({
      metadata: {
        name,
        uid: name,
        labels,
        annotations: shape.weight === undefined ? {} : { 'scheduling.navarch.io/weight': shape.weight },
      },
      spec: { unschedulable: shape.unschedulable ?? false, taints: shape.taints ?? [] },
      status: {
        allocatable: { cpu, memory, 'ephemeral-storage': disk, pods, ...shape.more },
        images: Object.entries(shape.images ?? {}).map(([name, sizeBytes]) => ({ names: [name], sizeBytes })),
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    }),
  );
}

export interface ClaimShape {
  readonly uid?: string;
  readonly node?: string;
  readonly mode?: string;
  readonly storageClassName?: string;
  readonly going?: boolean;
}

export function claim(name: string, shape: ClaimShape = {}): Live<PersistentVolumeClaim> {
  const { uid = name, node, mode = 'ReadWriteOnce', storageClassName = 'local', going = false } = shape;
  return liveObject<PersistentVolumeClaim>(
    toResource(
      persistentVolumeClaim,
      PersistentVolumeClaim.fromJSON({
        metadata: {
          name,
          namespace: 'default',
          uid,
          deletionTimestamp: going ? '2026-01-01T00:00:00Z' : '',
          annotations: node === undefined ? {} : { [claimNodeAnnotation]: node },
        },
        spec: { accessModes: [mode], resources: { requests: { storage: '1Gi' } }, storageClassName },
        status: {},
      }),
    ),
  );
}

export function podInfo(name: string, shape?: PodShape): PodInfo {
  return toPodInfo(pod(name, shape));
}

/** A node with the Pods that are on it. */
export interface NodeWith {
  readonly facts: NodeFacts;
  readonly pods: readonly PodInfo[];
}

export function nodeInfo(name: string, shape?: NodeShape, pods: readonly PodInfo[] = []): NodeWith {
  return { facts: nodeFacts(node(name, shape)), pods };
}

/** `last` names the node that each profile chose last. */
export function snapshotOf(nodes: readonly NodeWith[], last: Readonly<Record<string, string>> = {}): Snapshot {
  const snapshot = new Snapshot();
  for (const { facts, pods } of nodes) {
    snapshot.putNode(facts);
    for (const pod of pods) snapshot.place(`${facts.name} ${pod.key}`, facts.name, pod);
  }
  for (const [profile, name] of Object.entries(last)) snapshot.lastChosen.set(profile, name);
  return snapshot;
}

function live<T extends Pod | Node>(kind: typeof podKind | typeof nodeKind, object: T): Live<T> {
  return liveObject<T>(toResource(kind as never, object));
}
