import type { Container } from '@navarch/proto';

/** For how long a container is waited for to open its ports. After that it counts as ready, as it may never mean to. */
export const longestAwaitMs = 5_000;

/**
 * The TCP ports that a container says it listens on, when nothing else says when it is ready: with neither a readiness nor
 * a startup probe it is ready once it listens, so that no client is sent to a program that is only starting.
 */
export function awaitedPorts({ ports, readinessProbe, startupProbe }: Container): readonly number[] {
  if (readinessProbe || startupProbe) return [];
  return ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort);
}

/** Whether a container is not ready just because it runs. */
export function hasReadinessGate(container: Container): boolean {
  return container.readinessProbe !== undefined || awaitedPorts(container).length > 0;
}
