import { ApiError } from '@navarch/machinery';
import { maxPayloadBytes, type StreamConfig } from './bus.ts';

export function busDown(cause?: unknown): ApiError {
  return new ApiError('Unavailable', 'the message bus is down; try again when it is connected', { cause });
}

export function nobodyAnswers(subject: string): ApiError {
  return new ApiError('Unavailable', `nobody answers on ${subject}`);
}

export function tooLate(subject: string, timeoutMs: number): ApiError {
  return new ApiError('Timeout', `no answer on ${subject} within ${timeoutMs} ms`);
}

export function tooLarge(subject: string, bytes: number): ApiError {
  return new ApiError(
    'RequestEntityTooLarge',
    `a message of ${bytes} bytes for ${subject} is larger than the bus carries (${maxPayloadBytes})`,
  );
}

export function notInStream(config: StreamConfig, subject: string): ApiError {
  return new ApiError('BadRequest', `stream ${config.name} keeps ${config.subjects.join(', ')}, not ${subject}`);
}
