import {
  aggregatedRules,
  clusterRole as clusterRoleKind,
  clusterRoleBinding as clusterRoleBindingKind,
  type KindDefinition,
} from '@navarch/kinds';
import type { ClusterRole, ClusterRoleBinding, ObjectMeta } from '@navarch/proto';
import { createWrite } from '../pipeline/create.ts';
import { copyOf, leftAsItIs } from '../pipeline/current.ts';
import type { WritableObject } from '../pipeline/object-rules.ts';
import { prepareChange } from '../pipeline/update.ts';
import type { Write } from '../pipeline/write.ts';
import { defaultClusterRoleBindings, defaultClusterRoles } from './default-roles.ts';
import { uncovered } from './rules.ts';

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';

/**
 * The writes that a cluster begins with: they make the default roles and bindings, and give those that are there what they
 * lack. What users added stays, and one whose annotation says autoupdate "false" is left alone, as in Kubernetes.
 */
export function defaultAccessWrites(): readonly Write[] {
  const roles = defaultClusterRoles.map((role) => {
    // Whole from the start: no controller has to come first.
    const wanted = { ...role, rules: aggregatedRules(role, everyPart(role)) ?? role.rules };
    return defaultWrite(clusterRoleKind, wanted, (there: ClusterRole) => withRules(there, wanted));
  });
  const bindings = defaultClusterRoleBindings.map((binding) =>
    defaultWrite(clusterRoleBindingKind, binding, (there: ClusterRoleBinding) => withSubjects(there, binding)),
  );
  return [...roles, ...bindings];
}

/** The default roles, those that are put together from others with the rules that they come to. */
function everyPart(role: ClusterRole): readonly ClusterRole[] {
  return defaultClusterRoles.map((other) =>
    other === role ? other : { ...other, rules: aggregatedRules(other, defaultClusterRoles) ?? other.rules },
  );
}

function withRules(there: ClusterRole, wanted: ClusterRole): ClusterRole {
  if (wanted.aggregationRule !== undefined)
    return { ...there, aggregationRule: there.aggregationRule ?? wanted.aggregationRule };
  return { ...there, rules: [...there.rules, ...uncovered(there.rules, wanted.rules)] };
}

function withSubjects(there: ClusterRoleBinding, wanted: ClusterRoleBinding): ClusterRoleBinding {
  const has = (name: string) => there.subjects.some((subject) => subject.kind === 'Group' && subject.name === name);
  return { ...there, subjects: [...there.subjects, ...wanted.subjects.filter(({ name }) => !has(name))] };
}

function defaultWrite<T extends { metadata?: ObjectMeta | undefined }>(
  kind: KindDefinition,
  wanted: T,
  complete: (there: T) => T,
): Write {
  const object = wanted as T & WritableObject; // all of them have metadata
  const { name, labels } = object.metadata;
  return {
    kind,
    namespace: '',
    name,
    prepare: (circumstances) => {
      const cached = circumstances.view.get(kind, '', name);
      if (cached === undefined) {
        return createWrite({ kind, object, revision: 0n, manager: '' }).prepare(circumstances);
      }
      if (cached.object.metadata.annotations[autoupdate] === 'false') return leftAsItIs(cached);
      const there = complete(copyOf(cached) as T & WritableObject) as T & WritableObject; // the kind's own
      const metadata = { ...there.metadata, labels: { ...there.metadata.labels, ...labels } };
      return prepareChange(circumstances, cached, { ...there, metadata });
    },
  };
}
