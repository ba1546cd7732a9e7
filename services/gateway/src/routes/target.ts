/** What a request is for, told from its method and path alone. Source: the Kubernetes API concepts page, "Resource URIs". */
export type Target =
  | {
      readonly type: 'resource';
      /** As access rules name it: get, list, watch, create, update, patch, delete, deletecollection. */
      readonly verb: string;
      readonly path: string;
      readonly group: string;
      readonly version: string;
      /** '' for all, and for kinds that live in none. */
      readonly namespace: string;
      /** As paths spell it: pods. */
      readonly resource: string;
      readonly name: string;
      readonly subresource: string;
      /** What stands after the subresource. */
      readonly rest: readonly string[];
    }
  | { readonly type: 'path'; readonly verb: string; readonly path: string };

export type ResourceTarget = Extract<Target, { type: 'resource' }>;

/** Words after a namespace's name that are the namespace's own subresources. */
const ofNamespace = new Set(['status', 'finalize']);

/** Undefined for a path that is not percent-encoded rightly. */
export function readTarget(method: string, path: string, query: URLSearchParams): Target | undefined {
  const plain: Target = { type: 'path', verb: method.toLowerCase(), path };
  let parts: string[];
  try {
    parts = path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (parts.at(-1) === '') parts.pop();
  const root = parts.shift();
  if (root !== 'api' && root !== 'apis') return plain;
  const group = root === 'api' ? '' : parts.shift();
  const version = parts.shift();
  if (group === undefined || version === undefined || parts.length === 0) return plain;
  const isWatch = parts[0] === 'watch' && parts.length > 1;
  if (isWatch) parts.shift();
  let namespace = '';
  if (parts[0] === 'namespaces' && parts.length > 2 && !ofNamespace.has(parts[2] ?? '')) {
    namespace = parts[1] ?? '';
    parts = parts.slice(2);
  }
  const [resource = '', name = '', subresource = '', ...rest] = parts;
  const watching = isWatch || isTrue(query.get('watch'));
  const verb = verbOf(method, name === '' || isWatch, watching);
  return { type: 'resource', verb, path, group, version, namespace, resource, name, subresource, rest };
}

function verbOf(method: string, isCollection: boolean, watching: boolean): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return isCollection ? (watching ? 'watch' : 'list') : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return isCollection ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}

/** As Go reads a boolean in a query. */
export function isTrue(text: string | null): boolean {
  return text !== null && ['1', 't', 'true', 'T', 'TRUE', 'True'].includes(text);
}
