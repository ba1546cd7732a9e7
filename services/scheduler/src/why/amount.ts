import { formatByteCount, formatCpuMillis } from '@navarch/machinery';

const inBytes = /^(memory|storage|ephemeral-storage|hugepages-.*)$/;

/** An amount as scheduling counts it, in the units that people write: cpu 1500 is `1500m`, memory 67108864 is `64Mi`. */
export function amountText(resource: string, amount: number): string {
  if (!Number.isFinite(amount)) return 'any number';
  if (resource === 'cpu') return formatCpuMillis(amount);
  return inBytes.test(resource) ? formatByteCount(amount) : String(amount);
}
