import { isApiError } from '@navarch/machinery';
import type { ImageInfo } from '../runtime/runtime.ts';
import type { ContainerHealth, Failure, PodMemory } from './model.ts';
import { StepError } from './step-error.ts';

/** The PodMemory of a running worker. */
export class WorkingMemory implements PodMemory {
  volumesReady = false;
  readonly stoppedSandboxes = new Set<string>();
  readonly images = new Map<string, boolean>();
  /** What the runtime said of the images that are there. */
  readonly imageInfos = new Map<string, ImageInfo>();
  readonly pulledFor = new Map<string, number>();
  readonly failures = new Map<string, Failure>();
  health: ReadonlyMap<string, ContainerHealth> = new Map();

  saw(image: string, info: ImageInfo | undefined): void {
    this.images.set(image, info !== undefined);
    if (info) this.imageInfos.set(image, info);
    else this.imageInfos.delete(image);
  }

  succeeded(...steps: string[]): void {
    for (const name of steps) this.failures.delete(name);
  }

  failed(name: string, error: unknown, fallbackReason: string, now: number): Failure {
    const reason = error instanceof StepError ? error.reason : fallbackReason;
    const message = error instanceof Error ? error.message : String(error);
    const before = this.failures.get(name);
    // The api being away is nobody's fault: tried again soon, however often it happens.
    const away = isApiError(error, 'Unavailable', 'Timeout');
    const failure = { count: away ? 1 : (before?.count ?? 0) + 1, atMs: now, reason, message };
    this.failures.set(name, failure);
    return failure;
  }
}
