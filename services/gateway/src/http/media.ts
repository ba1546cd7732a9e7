import { notAcceptable } from './status.ts';

/** In which form an answer is wanted. */
export type Form = 'object' | 'table' | 'metadata';

/** One entry of an Accept header. */
interface Accepted {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
}

/** An Accept header's entries, those with a higher q first; all when it is absent. */
export function readAccept(header: string | undefined): readonly Accepted[] {
  if (header === undefined || header.trim() === '') return [{ type: '*/*', params: new Map() }];
  return header
    .split(',')
    .map((entry) => {
      const [type = '', ...params] = entry.split(';').map((part) => part.trim());
      const pairs = params.map((param) => {
        const [key = '', value = ''] = param.split('=', 2);
        return [key.trim().toLowerCase(), value.trim()] as const;
      });
      return { type: type.toLowerCase(), params: new Map(pairs) };
    })
    .filter(({ params }) => Number(params.get('q') ?? 1) > 0)
    .toSorted((a, b) => Number(b.params.get('q') ?? 1) - Number(a.params.get('q') ?? 1));
}

export const jsonTypes: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);

/** What an object, or objects, can be answered as. */
export interface Accepts {
  readonly form: Form;
  readonly yaml: boolean;
}

/**
 * The first wanted form that there is. Throws 406 when there is none: protobuf alone, or a form that is unknown.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function negotiate(header: string | undefined): Accepts {
  for (const { type, params } of readAccept(header)) {
    const yaml = type === 'application/yaml';
    if (!yaml && !jsonTypes.has(type)) continue;
    const as = params.get('as');
    if (as === undefined) return { form: 'object', yaml };
    if (params.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(params.get('v') ?? '')) continue;
    if (as === 'Table' && params.get('v') === 'v1') return { form: 'table', yaml };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { form: 'metadata', yaml };
  }
  throw notAcceptable('application/json, application/yaml, application/json;as=Table;g=meta.k8s.io;v=v1');
}
