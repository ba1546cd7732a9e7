import type { KindDefinition } from '@navarch/kinds';
import { escapeFieldValue } from '@navarch/machinery';
import { typeName } from './resource-args.ts';
import { type Session, UserError } from './session.ts';
import { waitUntil } from './wait-until.ts';

/** One object that is to go. */
export interface Victim {
  readonly kind: KindDefinition;
  readonly namespace: string;
  readonly name: string;
}

/** Waits until each is gone, or another object has its name. */
export async function waitGone(
  session: Session,
  going: readonly (Victim & { readonly uid: string })[],
  timeoutMs: number | undefined,
): Promise<void> {
  const until = timeoutMs === undefined ? undefined : session.io.now() + timeoutMs;
  for (const { kind, namespace, name, uid } of going) {
    const left = until === undefined ? undefined : Math.max(0, until - session.io.now());
    const selector = { namespace, fieldSelector: `metadata.name=${escapeFieldValue(name)}` };
    const isGone = (object: { metadata?: { uid: string } | undefined } | undefined) =>
      object === undefined || object.metadata?.uid !== uid;
    if (!(await waitUntil(session, kind, selector, isGone, left))) {
      const where = namespace === '' ? '' : ` -n ${namespace}`;
      throw new UserError(
        `timed out waiting for ${typeName(kind)} "${name}" to go; what it waits for says \`navctl why ${typeName(kind)}/${name}${where}\``,
      );
    }
  }
}
