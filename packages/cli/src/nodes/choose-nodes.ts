import { node as nodeKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import { type Session, UserError } from '../session.ts';

export interface NodeChoice {
  readonly selector?: string;
  readonly all?: boolean;
}

/** The nodes that `n1 node/n2`, `-l disk=ssd` or `--all` mean. Throws UserError when nothing is named, or two ways are. */
export async function chooseNodes(
  session: Session,
  names: readonly string[],
  { selector, all = false }: NodeChoice,
): Promise<readonly Live<Node>[]> {
  const ways = [names.length > 0, selector !== undefined, all].filter(Boolean).length;
  if (ways !== 1) throw new UserError('name nodes, or choose them with -l; one of the two');
  const client = session.client();
  if (names.length > 0) {
    return await Promise.all(names.map((name) => client.get(nodeKind, { name: name.replace(/^(nodes?|no)\//, '') })));
  }
  const { items } = await client.list(nodeKind, selector === undefined ? {} : { labelSelector: selector });
  if (items.length === 0) session.warn('No nodes found\n');
  return items;
}
