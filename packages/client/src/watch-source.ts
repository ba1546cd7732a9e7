import type { WatchRequest, WatchResponse } from '@navarch/proto';

/** The api's Watch as it travels; a fake of it is all that informers need in a test. */
export interface WatchSource {
  /** Ends when `signal` aborts; throws ApiError otherwise. Reads on only as fast as the caller does. */
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchResponse>;
}
