import { formatProblem } from '@navarch/machinery';
import type { KindDefinition } from './define-kind.ts';

const formats = { label: 'DNS_LABEL', label1035: 'DNS_LABEL_1035', subdomain: 'DNS_SUBDOMAIN' } as const;

/** What is wrong with `name` as the name of an object of the kind; undefined when nothing is. */
export function nameProblem({ nameFormat }: Pick<KindDefinition, 'nameFormat'>, name: string): string | undefined {
  return formatProblem(formats[nameFormat], name);
}
