import { taintText, type TaintLike } from '@navarch/kinds';
import type { NodeFacts } from '../node-info.ts';
import { type PodInfo, toPodInfo } from '../pod-info.ts';
import type { Snapshot } from '../snapshot.ts';
import { amountText } from './amount.ts';
import { cordonTaints, type Holder, unreadyTaints } from './obstacles.ts';

/** Something that somebody could do so that a Pod gets a node. */
export type Change =
  | { readonly type: 'uncordon'; readonly nodeName: string }
  | { readonly type: 'ask-less'; readonly resource: string; readonly needed: number; readonly to: number }
  | { readonly type: 'tolerate'; readonly taint: TaintLike }
  | { readonly type: 'label-node'; readonly nodeName: string; readonly label: string; readonly value: string }
  | { readonly type: 'drop-selector'; readonly label: string; readonly value: string }
  | { readonly type: 'allow-skew'; readonly topologyKey: string; readonly from: number; readonly to: number }
  | { readonly type: 'drop-node-affinity' }
  | { readonly type: 'drop-port'; readonly port: string }
  | {
      readonly type: 'drop-pod-rule';
      readonly rule: 'near' | 'far';
      readonly topologyKey: string;
      readonly key: string;
    }
  | { readonly type: 'fewer-pods'; readonly pods: readonly Holder[] }
  | { readonly type: 'make-ready'; readonly nodeName: string };

/**
 * How much is asked of people, by which changes are compared: what is undone by one command costs least, then what the Pod
 * itself may give up, then what others would have to. Documented in docs/guide/planning.md.
 */
export function costOf(change: Change): number {
  switch (change.type) {
    case 'uncordon':
      return 1;
    case 'ask-less':
      return 1 + (3 * (change.needed - change.to)) / change.needed;
    case 'tolerate':
      return 2;
    case 'label-node':
      return 2.5;
    case 'drop-selector':
      return 3;
    case 'allow-skew':
      return 3 + (change.to - change.from - 1) / 2;
    case 'drop-node-affinity':
    case 'drop-port':
    case 'drop-pod-rule':
      return 4;
    case 'fewer-pods':
      return 4 + change.pods.length;
    case 'make-ready':
      return 8;
    default:
      return change satisfies never;
  }
}

/** Equal for changes of one sort, of which only the smallest is worth telling. */
export function sortOf(change: Change): string {
  return change.type === 'ask-less' ? `${change.type} ${change.resource}` : change.type;
}

/** What to do, as a sentence without its end. */
export function changeText(change: Change): string {
  switch (change.type) {
    case 'uncordon':
      return `uncordon node ${change.nodeName}`;
    case 'ask-less': {
      const { resource, needed, to } = change;
      const amount = (value: number) => amountText(resource, value);
      return `let the Pod ask for ${amount(to)} of ${resource} instead of ${amount(needed)}, ${amount(needed - to)} less`;
    }
    case 'tolerate':
      return `give the Pod a toleration for ${taintText(change.taint)}`;
    case 'label-node':
      return `give node ${change.nodeName} the label ${change.label}=${change.value}`;
    case 'drop-selector':
      return `take ${change.label}=${change.value} out of the Pod's nodeSelector`;
    case 'allow-skew':
      return `allow a maxSkew of ${change.to} instead of ${change.from} over ${change.topologyKey}`;
    case 'drop-node-affinity':
      return 'take the required node affinity out of the Pod';
    case 'drop-port':
      return `let the Pod do without the host port ${change.port}`;
    case 'drop-pod-rule':
      return `take the required Pod ${change.rule === 'near' ? 'affinity' : 'anti-affinity'} over ${change.topologyKey} out of the Pod`;
    case 'fewer-pods':
      return `have ${change.pods.length === 1 ? 'one Pod' : `${change.pods.length} Pods`} fewer: ${change.pods.map(({ key, nodeName }) => `${key} on ${nodeName}`).join(', ')}`;
    case 'make-ready':
      return `make node ${change.nodeName} ready again`;
    default:
      return change satisfies never;
  }
}

/** The command that does it, where there is one; of the Pod itself most can't be changed once it is there. */
export function commandOf(change: Change): string {
  switch (change.type) {
    case 'uncordon':
      return `navctl uncordon ${change.nodeName}`;
    case 'label-node':
      return `navctl label node ${change.nodeName} ${change.label}=${change.value} --overwrite`;
    default:
      return '';
  }
}

/** What `run` gives with the changes made; the snapshot is afterwards as it was. The Pod's claims are kept. */
export function withChanges<T>(
  pod: PodInfo,
  snapshot: Snapshot,
  changes: readonly Change[],
  run: (pod: PodInfo) => T,
): T {
  const undo: (() => void)[] = [];
  try {
    let changed = pod;
    // What changes the manifest comes first: the rest is not in it.
    for (const change of changes.toSorted((one, other) => Number(isBesideSpec(one)) - Number(isBesideSpec(other)))) {
      changed = changedPod(changed, change);
      undo.push(changeSnapshot(snapshot, change));
    }
    return run(changed);
  } finally {
    for (const step of undo.reverse()) step();
  }
}

function isBesideSpec({ type }: Change): boolean {
  return type === 'ask-less' || type === 'drop-port' || type === 'drop-pod-rule';
}

function changedPod(info: PodInfo, change: Change): PodInfo {
  const { pod } = info;
  const { spec } = pod;
  const withSpec = (next: Partial<typeof spec>): PodInfo => ({
    ...toPodInfo({ ...pod, spec: { ...spec, ...next } }),
    claims: info.claims,
  });
  switch (change.type) {
    case 'ask-less':
      return askingLess(info, change.resource, change.to);
    case 'tolerate': {
      const { key, value, effect } = change.taint;
      const toleration = { key, operator: 'Equal', value, effect, tolerationSeconds: undefined };
      return withSpec({ tolerations: [...spec.tolerations, toleration] });
    }
    case 'drop-selector': {
      const { [change.label]: _, ...nodeSelector } = spec.nodeSelector;
      return withSpec({ nodeSelector });
    }
    case 'allow-skew': {
      const topologySpreadConstraints = spec.topologySpreadConstraints.map((each) =>
        each.topologyKey === change.topologyKey &&
        each.whenUnsatisfiable === 'DoNotSchedule' &&
        each.maxSkew < change.to
          ? { ...each, maxSkew: change.to }
          : each,
      );
      return withSpec({ topologySpreadConstraints });
    }
    case 'drop-node-affinity': {
      const nodeAffinity = spec.affinity?.nodeAffinity && {
        ...spec.affinity.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: undefined,
      };
      return withSpec({ affinity: spec.affinity && { ...spec.affinity, nodeAffinity } });
    }
    case 'drop-port':
      return {
        ...info,
        hostPorts: info.hostPorts.filter((port) => port !== change.port),
        shape: `${info.shape} -${change.port}`,
      };
    case 'drop-pod-rule': {
      const without = (terms: PodInfo['repels']) => terms.filter(({ key }) => key !== change.key);
      return change.rule === 'near'
        ? { ...info, needsNear: without(info.needsNear) }
        : { ...info, repels: without(info.repels) };
    }
    default:
      return info;
  }
}

/** As if its containers together asked for that much. */
function askingLess(info: PodInfo, resource: string, to: number): PodInfo {
  const needs = info.needs.map((need) => (need.resource === resource ? { resource, amount: to } : need));
  const nominal = resource in info.nominal ? { ...info.nominal, [resource]: to } : info.nominal;
  const requests = { ...info.requests, [resource]: to };
  return { ...info, needs, requests, nominal, shape: `${info.shape} ${resource}=${to}` };
}

/** Returns how to undo it. */
function changeSnapshot(snapshot: Snapshot, change: Change): () => void {
  switch (change.type) {
    case 'uncordon':
      return changeNode(snapshot, change.nodeName, ({ taints }) => ({
        unschedulable: false,
        taints: taints.filter(({ key }) => !cordonTaints.includes(key)),
      }));
    case 'make-ready':
      return changeNode(snapshot, change.nodeName, ({ taints }) => ({
        ready: true,
        taints: taints.filter(({ key }) => !unreadyTaints.includes(key)),
      }));
    case 'label-node':
      return changeNode(snapshot, change.nodeName, ({ labels }) => ({
        labels: { ...labels, [change.label]: change.value },
      }));
    case 'fewer-pods': {
      const taken = change.pods.flatMap(({ key, nodeName }) => {
        const footprint = snapshot.nodes[snapshot.find(nodeName)]?.pods.get(key);
        return footprint && snapshot.take(key) ? [{ key, nodeName, footprint }] : [];
      });
      return () => {
        for (const { key, nodeName, footprint } of taken) snapshot.place(key, nodeName, footprint);
      };
    }
    default:
      return () => {};
  }
}

function changeNode(snapshot: Snapshot, name: string, edit: (facts: NodeFacts) => Partial<NodeFacts>): () => void {
  const facts = snapshot.factsOf(name);
  if (facts === undefined) return () => {};
  snapshot.putNode({ ...facts, ...edit(facts) });
  return () => snapshot.putNode(facts);
}
