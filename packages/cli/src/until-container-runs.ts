import { pod as podKind } from '@navarch/kinds';
import { escapeFieldValue, type Live } from '@navarch/machinery';
import type { ContainerStatus, Pod } from '@navarch/proto';
import { podTrouble } from './rollout/pod-trouble.ts';
import { type Session, UserError } from './session.ts';
import { waitUntil } from './wait-until.ts';

export interface ContainerKey {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
}

export function statusOf({ status }: Live<Pod>, container: string): ContainerStatus | undefined {
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = status;
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  return all.find(({ name }) => name === container);
}

/** The Pod once the container runs, or has run already. Throws UserError that says what keeps it. */
export async function untilContainerRuns(session: Session, key: ContainerKey, timeoutMs: number): Promise<Live<Pod>> {
  let last: Live<Pod> | undefined;
  const seen = await waitForPod(session, key, timeoutMs, (pod) => {
    last = pod;
    const state = statusOf(pod, key.container)?.state;
    return (state?.running ?? state?.terminated) !== undefined;
  });
  if (seen && last !== undefined) return last;
  const trouble = last && podTrouble(last, 0, session.io.now());
  throw new UserError(`timed out waiting for pod "${key.name}" to run${trouble === undefined ? '' : `: ${trouble}`}`);
}

/** True once `done` holds of the Pod, false after `timeoutMs`. Throws UserError when the Pod goes. */
export function waitForPod(
  session: Session,
  { namespace, name }: Pick<ContainerKey, 'namespace' | 'name'>,
  timeoutMs: number | undefined,
  done: (pod: Live<Pod>) => boolean,
): Promise<boolean> {
  const selector = { namespace, fieldSelector: `metadata.name=${escapeFieldValue(name)}` };
  const check = (pod: Live<Pod> | undefined) => {
    if (pod === undefined) throw new UserError(`pod "${name}" is gone`);
    return done(pod);
  };
  return waitUntil(session, podKind, selector, check, timeoutMs);
}
