import { type Address, formatAddress, isLoopback } from './address.ts';
import type { Logger } from './logger.ts';

/**
 * Until callers have to prove who they are, whoever reaches a listener controls what stands behind it: says so when
 * `address` can be reached from elsewhere.
 */
export function warnIfPublic(address: Address, logger: Logger): void {
  if (isLoopback(address.host)) return;
  logger.warn(
    { address: formatAddress(address) },
    'listening beyond loopback without TLS and identities: anyone who reaches this address controls the cluster',
  );
}
