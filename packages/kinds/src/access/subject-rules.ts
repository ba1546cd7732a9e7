import type { FieldError } from '@navarch/machinery';
import type { RoleRef, Subject } from '@navarch/proto';
import type { Column } from '../define-kind.ts';
import { accessGroup } from './policy-rules.ts';

interface Binding {
  subjects: Subject[];
  roleRef?: RoleRef | undefined;
}

/** Users and groups have a group, ServiceAccounts the core one. Source: Kubernetes' SetDefaults_Subject. */
export function completeSubjects(binding: Binding): void {
  binding.subjects = binding.subjects.map((subject) =>
    subject.apiGroup === '' && subject.kind !== 'ServiceAccount' ? { ...subject, apiGroup: accessGroup } : subject,
  );
}

/** What is wrong with the subjects of a binding. Source: Kubernetes' ValidateRoleBindingSubject. */
export function subjectErrors(subjects: readonly Subject[], scope: 'Namespaced' | 'Cluster'): FieldError[] {
  return subjects.flatMap(({ kind, apiGroup, namespace }, index) => {
    const path = `subjects[${index}]`;
    const group = kind === 'ServiceAccount' ? '' : accessGroup;
    const errors: FieldError[] = [];
    if (apiGroup !== group) {
      errors.push({ path: `${path}.apiGroup`, message: `must be "${group}" for a ${kind}, not "${apiGroup}"` });
    }
    if (kind === 'ServiceAccount' && namespace === '' && scope === 'Cluster') {
      errors.push({
        path: `${path}.namespace`,
        message: 'must be set: a ClusterRoleBinding is in no namespace itself',
      });
    }
    return errors;
  });
}

/** The columns of both kinds of bindings. Source: Kubernetes' printers. */
export const roleColumn: Column<Binding> = {
  title: 'ROLE',
  value: ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`,
};
export const subjectColumns: readonly Column<Binding>[] = [
  { title: 'USERS', wide: true, value: ({ subjects }) => namesOf(subjects, 'User') },
  { title: 'GROUPS', wide: true, value: ({ subjects }) => namesOf(subjects, 'Group') },
  { title: 'SERVICEACCOUNTS', wide: true, value: ({ subjects }) => namesOf(subjects, 'ServiceAccount') },
];

function namesOf(subjects: readonly Subject[], wanted: string): string {
  return subjects
    .filter(({ kind }) => kind === wanted)
    .map(({ kind, namespace, name }) => (kind === 'ServiceAccount' ? `${namespace}/${name}` : name))
    .join(', ');
}
