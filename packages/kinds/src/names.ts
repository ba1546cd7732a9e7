import { formatProblem } from '@navarch/machinery';
import type { KindDefinition } from './define-kind.ts';

const formats = { label: 'DNS_LABEL', label1035: 'DNS_LABEL_1035', subdomain: 'DNS_SUBDOMAIN' } as const;

/** What is wrong with `name` as the name of an object of the kind; undefined when nothing is. */
export function nameProblem({ nameFormat }: Pick<KindDefinition, 'nameFormat'>, name: string): string | undefined {
  return nameFormat === 'path' ? pathProblem(name) : formatProblem(formats[nameFormat], name);
}

/** Source: Kubernetes' IsValidPathSegmentName. Control characters, which would reach terminals, are refused here as well. */
function pathProblem(name: string): string | undefined {
  const isFine = name !== '.' && name !== '..' && name.length <= 253 && /^[^/%\p{Cc}]+$/u.test(name);
  return isFine ? undefined : 'must be at most 253 characters without / and %, and neither . nor ..';
}
