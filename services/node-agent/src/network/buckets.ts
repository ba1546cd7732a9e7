import { createHash } from 'node:crypto';

/** Buckets for a Service with session affinity, at least; a power of two. */
const fewestBuckets = 64;
const mostBuckets = 1024;

/**
 * Which endpoint serves each bucket of clients: the kernel hashes a client's address to a bucket. Rendezvous hashing:
 * when an endpoint goes, only its own buckets move; a new one takes its fair share from all others. Every node comes to
 * the same answer from the same endpoints, and there is no state to lose.
 */
export function bucketOwners(endpoints: readonly string[], serviceKey: string): readonly string[] {
  const count = bucketCount(endpoints.length);
  return Array.from({ length: count }, (_, bucket) => {
    let owner = '';
    let highest = -1;
    for (const endpoint of endpoints) {
      const weight = hash(`${serviceKey} ${bucket} ${endpoint}`);
      if (weight > highest || (weight === highest && endpoint < owner)) {
        highest = weight;
        owner = endpoint;
      }
    }
    return owner;
  });
}

/** The number grows in leaps only, since a change of it moves every client. */
function bucketCount(endpoints: number): number {
  let count = fewestBuckets;
  while (count < endpoints * 8 && count < mostBuckets) count *= 16;
  return count;
}

function hash(text: string): number {
  return createHash('md5').update(text).digest().readUIntBE(0, 6);
}
