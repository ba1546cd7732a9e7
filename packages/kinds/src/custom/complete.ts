import type { CustomResourceDefinition } from '@navarch/proto';

/** Names that follow from others, and the one way of conversion there is. */
export function completeDefinition({ spec }: CustomResourceDefinition): void {
  if (spec === undefined) return;
  spec.conversion ??= { strategy: 'None' };
  const { names } = spec;
  if (names === undefined) return;
  names.singular ||= names.kind.toLowerCase();
  names.listKind ||= names.kind === '' ? '' : `${names.kind}List`;
}
