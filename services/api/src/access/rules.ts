import type { PolicyRule } from '@navarch/proto';

/** Something that somebody wants to do to a resource. `namespace` is '' for the whole cluster, `name` '' for many. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Something that somebody wants to do to a path that is no resource. */
export interface PathAttributes {
  readonly verb: string;
  readonly path: string;
}

export type Attributes = ResourceAttributes | PathAttributes;

/** Whether a rule allows something. Source: Kubernetes' rbac/v1 evaluation helpers. */
export function allows(rule: PolicyRule, wanted: Attributes): boolean {
  if (!has(rule.verbs, wanted.verb)) return false;
  if ('path' in wanted) return rule.nonResourceUrls.some((url) => coversPath(url, wanted.path));
  return (
    has(rule.apiGroups, wanted.group) &&
    coversResource(rule.resources, wanted.resource, wanted.subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(wanted.name))
  );
}

/** The rules among `wanted`, taken apart, that `held` do not allow. Source: Kubernetes' validation.Covers. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(takenApart).filter((part) => !held.some((rule) => coversPart(rule, part)));
}

/** A rule in rules of one verb, one group, one resource and at most one name, or of one verb and one path, each. */
function takenApart(rule: PolicyRule): readonly PolicyRule[] {
  const { verbs, apiGroups, resources, resourceNames, nonResourceUrls } = rule;
  const none = { apiGroups: [], resources: [], resourceNames: [], nonResourceUrls: [] };
  return verbs.flatMap((verb) => [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        (resourceNames.length === 0 ? [[]] : resourceNames.map((name) => [name])).map((names) => {
          return { ...none, verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: names };
        }),
      ),
    ),
    ...nonResourceUrls.map((url) => ({ ...none, verbs: [verb], nonResourceUrls: [url] })),
  ]);
}

function coversPart(rule: PolicyRule, part: PolicyRule): boolean {
  const [verb = ''] = part.verbs;
  const [url] = part.nonResourceUrls;
  if (!has(rule.verbs, verb)) return false;
  if (url !== undefined) return rule.nonResourceUrls.some((held) => coversPath(held, url));
  const [group = ''] = part.apiGroups;
  const [full = ''] = part.resources;
  const [resource = '', subresource = ''] = full.split('/');
  const [name] = part.resourceNames;
  return (
    has(rule.apiGroups, group) &&
    coversResource(rule.resources, resource, subresource) &&
    (rule.resourceNames.length === 0 || (name !== undefined && rule.resourceNames.includes(name)))
  );
}

function has(items: readonly string[], wanted: string): boolean {
  return items.includes('*') || items.includes(wanted);
}

function coversResource(held: readonly string[], resource: string, subresource: string): boolean {
  if (held.includes('*') || held.includes(subresource === '' ? resource : `${resource}/${subresource}`)) return true;
  return subresource !== '' && held.includes(`*/${subresource}`);
}

function coversPath(held: string, path: string): boolean {
  return held === '*' || held === path || (held.endsWith('*') && path.startsWith(held.slice(0, -1)));
}
