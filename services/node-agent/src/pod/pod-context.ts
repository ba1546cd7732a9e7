import type { EventRecorder } from '@navarch/controller';
import type { Clock, Logger } from '@navarch/kit';
import type { Runtime } from '../runtime/runtime.ts';
import type { ApiWriter } from './api-writer.ts';
import type { ConfigSource } from './config-source.ts';
import type { NodeSettings } from './container-config.ts';
import type { ImagePuller } from './image-puller.ts';
import type { StartLimit } from './start-limit.ts';
import type { Volumes } from './volumes.ts';

/** What the workers of a node share. */
export interface PodContext {
  readonly runtime: Runtime;
  readonly puller: ImagePuller;
  readonly startLimit: StartLimit;
  readonly volumes: Volumes;
  readonly config: ConfigSource;
  readonly writer: ApiWriter;
  readonly events: EventRecorder;
  readonly node: NodeSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where a Pod's own files are kept: `<podRoot>/<uid>`. */
  readonly podRoot: string;
  /** Resolves once Pods can be connected. */
  networkReady(signal: AbortSignal): Promise<void>;
  /** Resolves once nothing new is sent to the Pod, or after `longestMs`. See `Network`. */
  endpointRemoved(podKey: string, longestMs: number, signal: AbortSignal): Promise<void>;
}
