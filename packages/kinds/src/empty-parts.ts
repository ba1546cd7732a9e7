/**
 * Messages of a Pod template that say the same when they are empty as when they are absent. In Kubernetes' own Go types some
 * of them are no pointers, so that clients built on these types (kubectl rollout undo) write `resources: {}` wherever
 * nothing was said. Not among them are those that choose something by being there: `emptyDir: {}`, `namespaceSelector: {}`.
 */
const emptyIsAbsent: ReadonlySet<string> = new Set([
  'resources',
  'securityContext',
  'affinity',
  'nodeAffinity',
  'podAffinity',
  'podAntiAffinity',
  'lifecycle',
]);

/** A template's JSON, or JSON that holds templates, without what says nothing: equal for templates of equal Pods. */
export function withoutEmptyParts(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutEmptyParts);
  if (typeof json !== 'object' || json === null) return json;
  const parts = Object.entries(json).map(([name, value]) => [name, withoutEmptyParts(value)] as const);
  return Object.fromEntries(parts.filter(([name, value]) => !(emptyIsAbsent.has(name) && isEmpty(value))));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
