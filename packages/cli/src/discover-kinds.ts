import type { ApiClient } from '@navarch/client';
import { builtinKinds, customKinds, customResourceDefinition, type Kinds, KindSet } from '@navarch/kinds';
import type { CustomResourceDefinition } from '@navarch/proto';

/** Every kind that the cluster has. */
export async function discoverKinds(client: Pick<ApiClient, 'list'>): Promise<Kinds> {
  const { items } = await client.list(customResourceDefinition);
  return kindsWith(builtinKinds, items);
}

/** `kinds`, and those that definitions add to them. */
export function kindsWith(kinds: Kinds, definitions: readonly CustomResourceDefinition[]): Kinds {
  const custom = definitions.flatMap((definition) => customKinds(definition));
  return new KindSet([...kinds.all, ...custom.filter(({ served }) => served).map(({ kind }) => kind)]);
}
