import { service } from '@navarch/kinds';
import { PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { chooseObjects, forEachOf, withChoice } from '../choose-objects.ts';
import { dryRunOption, fieldManagerOption, outputOption, writeOptions } from '../options.ts';
import { readPairs } from '../pairs.ts';
import { printResult } from '../print/result.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import type { SetFlags } from '../set/change-containers.ts';

export const setSelectorCommand = (run: Runner) =>
  withChoice(new Command('selector'))
    .description('Send a Service to other Pods: those with all of these labels')
    .usage('[options] svc/NAME…  KEY=VALUE,…')
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText('after', '\nExample:\n  navctl set selector svc/web app=web,version=v2')
    .action(run(setSelector));

async function setSelector(session: Session, args: readonly string[], flags: SetFlags): Promise<number> {
  const isPair = (text: string) => text.includes('=');
  const texts = args.filter(isPair);
  if (texts.length === 0) throw new UserError('say which labels: KEY=VALUE,KEY=VALUE');
  const selector = readPairs('the selector', texts, 'app=web,version=v2');
  const named = args.filter((text) => !isPair(text));
  return forEachOf(session, await chooseObjects(session, named, flags), async ({ kind, namespace, name }) => {
    if (kind.case !== service.case)
      throw new UserError(`the selector of ${kind.plural} can't be set; that of Services can`);
    const patch = JSON.stringify([{ op: 'add', path: '/spec/selector', value: selector }]);
    const request = { type: PatchRequest_Type.JSON, patch };
    const object = await session.client().patch(kind, { namespace, name }, request, writeOptions(flags));
    printResult(session, { kind, object, done: 'selector updated' }, flags);
  });
}
