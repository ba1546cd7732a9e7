export { SpdyConnection, type SpdyOptions } from './connection.ts';
export { SpdyError } from './frames.ts';
export type { SpdyStream } from './stream.ts';
