import { affinityToNode, fromResource, liveObject, namedNodes, requiredTerms } from '@navarch/kinds';
import { ApiError, type Live } from '@navarch/machinery';
import { type PlannedWorkload, type Pod, PodFate } from '@navarch/proto';
import { toPodInfo } from '../pod-info.ts';
import { rejectionByItself } from '../schedule.ts';
import type { Picture } from '../why/picture.ts';
import type { Coming } from './simulation.ts';

type Pods = ReadonlyMap<string, Live<Pod>>;

/** The Pods that a workload makes. */
export function comingOf(workload: PlannedWorkload, picture: Picture, pods: Pods): readonly Coming[] {
  if (workload.pod === undefined) throw new ApiError('BadRequest', 'a planned workload has no Pod');
  fromResource(workload.pod);
  const sample = liveObject<Pod>(workload.pod);
  if (workload.onEachNode) return onEachNode(workload, sample, picture, pods);
  return workload.made.map((name, at) => {
    const told = name.startsWith('#') ? `${workload.owner.split('/')[1] ?? ''} ${name}` : name;
    return coming(workload, named(sample, told), workload.replaced[at], pods);
  });
}

/** One on each node that the Pod chooses and tolerates, where none stays. */
function onEachNode(
  workload: PlannedWorkload,
  sample: Live<Pod>,
  { snapshot }: Picture,
  pods: Pods,
): readonly Coming[] {
  const has = new Set(workload.kept.map((key) => nodeOf(pods.get(key))));
  const info = toPodInfo(sample);
  const choosy = new Set(['NodeSelector', 'NodeAffinity', 'TaintToleration']);
  // Whether there is room is not asked yet: one that finds none waits for it.
  const chooses = { ...info, needs: [], hostPorts: [], claims: [] };
  return snapshot.nodes.flatMap((node): readonly Coming[] => {
    const rejection = has.has(node.name) ? undefined : rejectionByItself(chooses, node);
    if (has.has(node.name) || (rejection !== undefined && choosy.has(rejection.filter))) return [];
    const name = `${workload.owner.split('/')[1] ?? ''} on ${node.name}`;
    const affinity = { ...sample.spec.affinity, ...affinityToNode(node.name) };
    const pod = { ...named(sample, name), spec: { ...sample.spec, affinity } };
    return [
      coming(
        workload,
        pod,
        workload.replaced.find((key) => nodeOf(pods.get(key)) === node.name),
        pods,
      ),
    ];
  });
}

function coming(workload: PlannedWorkload, pod: Live<Pod>, replaces: string | undefined, pods: Pods): Coming {
  const from = (replaces === undefined ? undefined : pods.get(replaces)?.spec.nodeName) ?? '';
  const { name } = pod.metadata;
  const reason = replaces === undefined ? 'is made' : `takes the place of ${replaces}`;
  return {
    info: toPodInfo(pod),
    name,
    owner: workload.owner,
    from,
    fate: from === '' ? PodFate.PLACED : PodFate.MOVED,
    reason,
  };
}

/** The Pod under another name, with the claims of its own: those of the sample end with the sample's name. */
function named(sample: Live<Pod>, name: string): Live<Pod> {
  const end = `-${sample.metadata.name}`;
  const volumes = sample.spec.volumes.map((volume) => {
    const { persistentVolumeClaim: claim } = volume;
    if (claim === undefined || sample.metadata.name === '' || !claim.claimName.endsWith(end)) return volume;
    const claimName = `${claim.claimName.slice(0, -end.length)}-${name}`;
    return { ...volume, persistentVolumeClaim: { ...claim, claimName } };
  });
  return {
    ...sample,
    metadata: { ...sample.metadata, name, uid: `planned ${name}`, ownerReferences: [] },
    spec: { ...sample.spec, volumes },
  };
}

function nodeOf(pod: Live<Pod> | undefined): string | undefined {
  if (pod === undefined || pod.spec.nodeName !== '') return pod?.spec.nodeName;
  const [name] = namedNodes(requiredTerms(pod.spec.affinity) ?? []) ?? [];
  return name;
}
