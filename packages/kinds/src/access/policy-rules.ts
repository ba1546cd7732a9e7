import type { FieldError } from '@navarch/machinery';
import type { PolicyRule } from '@navarch/proto';

/** The group of roles and bindings, and of the users and groups that they name. */
export const accessGroup = 'rbac.authorization.k8s.io';

/** What is wrong with rules beyond their schema. Source: Kubernetes' ValidatePolicyRule. */
export function policyRuleErrors(rules: readonly PolicyRule[], scope: 'Namespaced' | 'Cluster'): FieldError[] {
  return rules.flatMap((rule, index) => ruleErrors(rule, `rules[${index}]`, scope));
}

function ruleErrors(rule: PolicyRule, path: string, scope: 'Namespaced' | 'Cluster'): FieldError[] {
  const { apiGroups, resources, resourceNames, nonResourceUrls } = rule;
  if (nonResourceUrls.length > 0) {
    const ofResources = apiGroups.length + resources.length + resourceNames.length > 0;
    if (scope === 'Namespaced') {
      return [
        { path: `${path}.nonResourceURLs`, message: 'only a ClusterRole can name paths: they are in no namespace' },
      ];
    }
    if (ofResources) {
      return [{ path: `${path}.nonResourceURLs`, message: 'a rule is about resources or about paths, not both' }];
    }
    return nonResourceUrls.flatMap((url, index) =>
      url === '*' || /^\/[^*]*\*?$/.test(url)
        ? []
        : [
            {
              path: `${path}.nonResourceURLs[${index}]`,
              message: 'must begin with /, with * at most at the end, or be *',
            },
          ],
    );
  }
  const errors: FieldError[] = [];
  if (apiGroups.length === 0) {
    errors.push({ path: `${path}.apiGroups`, message: 'must name a group ("" is the core group, "*" all groups)' });
  }
  if (resources.length === 0) errors.push({ path: `${path}.resources`, message: 'must name a resource (or "*")' });
  return errors;
}
