import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';

/** pino's: a constant message plus fields, `logger.info({ pod }, 'pod bound')`; errors go in `err`. */
export type Logger = PinoLogger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Field names whose values never reach a log, at the top of an entry and one and two levels down. */
const secretFields = [
  'password',
  'token',
  'authorization',
  'secret',
  'secrets',
  'privateKey',
  'clientKey',
  'stringData',
  'credentials',
  'encryptionKey',
];

/** One JSON line an entry, on stderr unless `destination` is given; written at once, so that the last words before an exit arrive. */
export function createLogger(options: { name: string; level?: LogLevel; destination?: DestinationStream }): Logger {
  const paths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
  return pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      redact: { paths, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    options.destination ?? destination({ dest: 2, sync: true }),
  );
}

/** `url` as it may be logged: without user and password. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^@/?#]*@/i, '$1');
}
