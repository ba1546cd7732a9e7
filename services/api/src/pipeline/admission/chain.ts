import type { FieldError } from '@navarch/machinery';
import type { Compare, Operation } from '@navarch/store';
import type { CachedObject } from '../../cache/cached-object.ts';
import { refuse } from '../object-rules.ts';
import type { Taking } from '../rooms.ts';
import type { Circumstances, OtherWrite } from '../write.ts';
import { customKindsLink } from './custom-kinds.ts';
import { defaults } from './defaults.ts';
import { ephemeralContainers } from './ephemeral-containers.ts';
import { home } from './home.ts';
import { claimBounds, limitBounds, limitDefaults } from './limits.ts';
import type { Admitted, Link, Step } from './link.ts';
import { namespaces } from './namespaces.ts';
import { nodeTaints } from './node-taints.ts';
import { priority } from './priority.ts';
import { quota } from './quota.ts';
import { quotaStatus } from './quota-status.ts';
import { room } from './room.ts';
import { serviceAccounts } from './service-accounts.ts';
import { services } from './services.ts';
import { storage } from './storage.ts';
import { tolerations } from './tolerations.ts';
import { validation } from './validation.ts';

/**
 * The chain of admission: every create, update, status update and binding goes through these links in this order, and every
 * removal through their releases.
 */

/** They complete the object: after them it is as it would be stored. */
const completing: readonly Link[] = [
  defaults,
  home,
  namespaces,
  customKindsLink,
  services,
  quotaStatus,
  priority,
  serviceAccounts,
  tolerations,
  nodeTaints,
  limitDefaults,
];

/**
 * They look at the completed object, and change it no more. Not asked about a write that changes nothing, nor after one of them
 * has found fields that are wrong: a quota counts only what is right.
 */
const judging: readonly Link[] = [storage, ephemeralContainers, validation, limitBounds, claimBounds, room, quota];

/** What all links add to a write. */
export interface Admission {
  readonly compare: readonly Compare[];
  readonly ops: readonly Operation[];
  readonly others: readonly OtherWrite[];
  readonly taking?: Taking;
}

/** Brings the object of a write to the form in which it would be stored. Changes `step.next`. Throws ApiError. */
export function complete(step: Step): Admitted {
  return together(completing.map((link) => link.admit?.(step)));
}

/** Whether the completed object may be stored. Throws Invalid with everything that is wrong, or what refused it. */
export function judge(step: Step, completed: Admitted): Admission {
  const parts = [completed];
  for (const link of judging) {
    const part = link.admit?.(step);
    if (part === undefined) continue;
    parts.push(part);
    if (part.errors !== undefined) refuse(step.kind, step.next.metadata, together(parts).errors);
  }
  return together(parts);
}

/** What has to happen with the removal of an object, beyond the removal. */
export function release(circumstances: Circumstances, going: CachedObject): Admission {
  return together([...completing, ...judging].map((link) => link.release?.(circumstances, going)));
}

function together(parts: readonly (Admitted | undefined)[]): Admission & { readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = [];
  const compare: Compare[] = [];
  const ops: Operation[] = [];
  const others: OtherWrite[] = [];
  let taking: Taking | undefined;
  for (const part of parts) {
    if (part === undefined) continue;
    errors.push(...(part.errors ?? []));
    compare.push(...(part.compare ?? []));
    ops.push(...(part.ops ?? []));
    others.push(...(part.others ?? []));
    taking ??= part.taking;
  }
  return { errors, compare, ops, others, ...(taking && { taking }) };
}
