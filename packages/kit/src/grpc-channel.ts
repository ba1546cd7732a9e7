import type { ChannelOptions } from '@grpc/grpc-js';

/** Lists of tens of thousands of objects travel in chunks far below this; grpc-js alone would allow 4 MiB. */
const receiveLimitBytes = 64 * 1024 * 1024;

/**
 * Keepalive, because a half-open connection otherwise goes unnoticed for as long as nobody writes; without open calls
 * too, because an idle channel is the one that has to be alive when a call comes.
 * The names are gRPC core's: https://github.com/grpc/grpc-node/tree/master/packages/grpc-js#supported-channel-options
 */
const shared = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': receiveLimitBytes,
  'grpc.max_send_message_length': receiveLimitBytes,
} as const satisfies ChannelOptions;

/** For every gRPC client channel. A server that was away is found again within 2 s of its return. */
export const grpcClientOptions = {
  ...shared,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
} as const satisfies ChannelOptions;

/** For every gRPC server. */
export const grpcServerOptions = { ...shared } as const satisfies ChannelOptions;
