import { readFileSync } from 'node:fs';
import { type Clock, type Component, ConfigError, type Logger, type Metrics, type Parser } from '@navarch/kit';
import type { Filter } from '../http/exchange.ts';
import { auditFilter } from './audit-filter.ts';
import { type AuditPolicy, readAuditPolicy, usualPolicy } from './policy.ts';
import { RotatingFile } from './rotating-file.ts';

const maxWaitingBytes = 16 * 1024 * 1024;

/** The path of a policy. Throws ConfigError. */
export const auditPolicyFile: Parser<AuditPolicy> = (path) => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`the audit policy can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return readAuditPolicy(text, path);
};

/** What it takes to write an audit log: nothing where no file is named. */
export function auditing(options: {
  readonly path: string | undefined;
  readonly policy: AuditPolicy | undefined;
  readonly maxBytes: number;
  readonly backups: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): { readonly components: readonly Component[]; readonly filters: readonly Filter[] } {
  const { path, policy = usualPolicy, maxBytes, backups, clock, logger, metrics } = options;
  if (path === undefined) return { components: [], filters: [] };
  const lost = metrics.counter({
    name: 'navarch_gateway_audit_lost_total',
    help: 'Lines of the audit log that could not be written: the disk is full, or too slow.',
  });
  const onLost = () => lost.inc();
  const file = new RotatingFile({ path, maxBytes, backups, maxWaitingBytes, logger, onLost });
  return { components: [file], filters: [auditFilter({ policy, write: (line) => file.write(line), clock })] };
}
