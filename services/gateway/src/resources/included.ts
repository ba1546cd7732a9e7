import { badRequest } from '../http/status.ts';
import { shown } from './query.ts';

/** What of each object a table's line carries. */
export type Included = 'None' | 'Metadata' | 'Object';

export function includedOf(query: URLSearchParams): Included {
  const text = query.get('includeObject') ?? '';
  if (text === '') return 'Metadata';
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text;
  throw badRequest(`includeObject must be None, Metadata or Object, not "${shown(text)}"`);
}
