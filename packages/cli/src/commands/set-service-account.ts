import { PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { chooseObjects, forEachOf } from '../choose-objects.ts';
import { differs } from '../content.ts';
import { isDryRun, writeOptions } from '../options.ts';
import { printResult } from '../print/result.ts';
import { afterChange } from '../rollout/after-change.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { type SetFlags, withSetFlags } from '../set/change-containers.ts';
import { podSpecOf } from '../set/pod-spec.ts';

export const setServiceAccountCommand = (run: Runner) =>
  withSetFlags(new Command('serviceaccount').alias('sa'))
    .description('Set who the Pods of workloads are to the api')
    .usage('[options] TYPE/NAME…  SERVICEACCOUNT')
    .addHelpText('after', '\nExample:\n  navctl set serviceaccount deploy/web builder')
    .action(run(setServiceAccount));

async function setServiceAccount(session: Session, args: readonly string[], flags: SetFlags): Promise<number> {
  const account = args.at(-1) ?? '';
  if (account === '' || account.includes('/')) throw new UserError('say which service account, after the objects');
  const chosen = await chooseObjects(session, args.slice(0, -1), flags);
  return forEachOf(session, chosen, async (one) => {
    const { kind, namespace, name } = one;
    const before = await session.client().get(kind, { namespace, name });
    const patch = JSON.stringify(podSpecOf(kind, before).patchOf({ serviceAccountName: account }));
    const request = { type: PatchRequest_Type.STRATEGIC, patch };
    const object = await session.client().patch(kind, { namespace, name }, request, writeOptions(flags));
    const changed = isDryRun(flags) || differs(kind, before, object);
    printResult(session, { kind, object, done: `serviceaccount ${changed ? 'updated' : 'unchanged'}` }, flags);
    if (changed) await afterChange(session, one, flags);
  });
}
