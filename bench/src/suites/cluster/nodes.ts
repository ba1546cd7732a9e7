import { createWrite, updateStatusWrite } from '@navarch/client';
import { node as nodeKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import type { ControlPlane } from './control-plane.ts';
import { inBatches } from './in-batches.ts';

/** Registers nodes and has them tell that they are ready. Nobody stands behind them: what Pods do once they are bound is not measured. */
export async function readyNodes(plane: ControlPlane, nodes: readonly Live<Node>[]): Promise<void> {
  await inBatches(nodes, async (batch) => await register(plane, batch));
}

export async function readyNode(plane: ControlPlane, node: Live<Node>): Promise<void> {
  await register(plane, [node]);
}

async function register({ client }: ControlPlane, batch: readonly Live<Node>[]): Promise<void> {
  const made = await client.transact(batch.map((node) => createWrite(nodeKind, node)));
  const statuses = made.flatMap((outcome, index) => {
    const node = batch[index];
    if (!outcome.ok || node === undefined) throw new Error('a Node was refused');
    return [updateStatusWrite(nodeKind, { ...node, metadata: outcome.object.metadata ?? node.metadata })];
  });
  await client.transact(statuses);
}
