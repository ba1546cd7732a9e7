import { formatTable } from '@navarch/machinery';
import { type PlannedPod, PodFate, type PlanResponse } from '@navarch/proto';

const words: Readonly<Record<PodFate, string>> = {
  [PodFate.UNSPECIFIED]: '',
  [PodFate.PLACED]: 'placed',
  [PodFate.MOVED]: 'moved',
  [PodFate.PREEMPTED]: 'preempted',
  [PodFate.PENDING]: 'pending',
  [PodFate.REMOVED]: 'removed',
  [PodFate.BLOCKED]: 'blocked',
  [PodFate.UNRECOGNIZED]: 'unknown',
};

/** Why a Pod's fate is told only where it is bad news: otherwise the table says enough. */
const explained: ReadonlySet<PodFate> = new Set([PodFate.PENDING, PodFate.BLOCKED, PodFate.REMOVED, PodFate.PREEMPTED]);

/** What would become of Pods, as a page. */
export function planText({ revision, hash, pods, warnings, refusals }: PlanResponse): string {
  const rows = pods.map((pod) => [
    pod.namespace,
    pod.owner || '<none>',
    pod.name,
    words[pod.fate],
    pod.from || '-',
    pod.to || '-',
    explained.has(pod.fate) ? pod.reason : '',
  ]);
  const titles = ['NAMESPACE', 'OWNER', 'POD', 'FATE', 'FROM', 'TO', 'WHY'];
  return [
    pods.length === 0 ? 'Nothing would become of any Pod.\n' : formatTable([titles, ...rows]),
    ...refusals.map((text) => `Refused: ${text}\n`),
    ...warnings.map((text) => `Note: ${text}\n`),
    `\n${summary(pods)} (revision ${revision})\nPlan: ${hash}\n`,
  ].join('');
}

/** The plan for programs: as it travels, with words in place of numbers. */
export function planJson({ revision, hash, pods, warnings, refusals }: PlanResponse): PlanJson {
  const plain = pods.map(({ fate, ...pod }) => ({ ...pod, fate: words[fate] }));
  return { revision: Number(revision), hash, pods: plain, warnings, refusals };
}

export interface PlanJson {
  readonly revision: number;
  readonly hash: string;
  readonly pods: readonly (Omit<PlannedPod, 'fate'> & { readonly fate: string })[];
  readonly warnings: readonly string[];
  readonly refusals: readonly string[];
}

/** One line for each Pod, for comparing plans. */
export function planLines({ pods, warnings, refusals }: PlanJson): readonly string[] {
  return [
    ...pods.map(({ namespace, owner, name, fate, from, to }) => {
      return `${namespace} ${owner || '<none>'} ${name}: ${fate}${from === '' ? '' : ` from ${from}`}${to === '' ? '' : ` to ${to}`}`;
    }),
    ...refusals.map((text) => `refused: ${text}`),
    ...warnings.map((text) => `note: ${text}`),
  ];
}

function summary(pods: readonly PlannedPod[]): string {
  const counts = Map.groupBy(pods, ({ fate }) => words[fate]);
  const parts = [...counts].map(([word, { length }]) => `${length} ${word}`);
  return parts.length === 0 ? 'Nothing to do' : parts.join(', ');
}

/** Whether something would wait, or not be done. */
export function isIncomplete({ pods, refusals }: PlanResponse): boolean {
  return refusals.length > 0 || pods.some(({ fate }) => fate === PodFate.PENDING || fate === PodFate.BLOCKED);
}
