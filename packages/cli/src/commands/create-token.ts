import { BoundObject } from '@navarch/proto';
import { type Command, Option } from 'commander';
import { collect, durationMs } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface TokenFlags {
  readonly audience?: readonly string[];
  readonly duration?: number;
  readonly boundObjectKind?: string;
  readonly boundObjectName?: string;
  readonly boundObjectUid?: string;
}

/** Adds `create token`, which makes nothing that is kept. */
export function addCreateToken(create: Command, run: Runner): void {
  create
    .command('token')
    .description('Print a token of a ServiceAccount, which ends by itself: a secret')
    .argument('<serviceaccount>')
    .addOption(new Option('--duration <duration>', 'how long it holds (default: 1h)').argParser(durationMs))
    .addOption(new Option('--audience <name>', 'whom it is shown to; may be given several times').argParser(collect))
    .addOption(new Option('--bound-object-kind <kind>', 'it ends with this object').choices(['Pod', 'Secret']))
    .addOption(new Option('--bound-object-name <name>', "that object's name"))
    .addOption(new Option('--bound-object-uid <uid>', "that object's uid"))
    .addHelpText('after', '\nExamples:\n  navctl create token builder -n ci --duration 2h')
    .action(run(createToken));
}

async function createToken(session: Session, name: string, flags: TokenFlags): Promise<void> {
  const { audience = [], duration = 0, boundObjectKind: kind, boundObjectName, boundObjectUid: uid } = flags;
  if ((kind === undefined) !== (boundObjectName === undefined)) {
    throw new UserError('--bound-object-kind and --bound-object-name go together');
  }
  const { token } = await session.client().access.requestToken({
    namespace: session.namespace,
    name,
    audiences: [...audience],
    expirationSeconds: BigInt(Math.ceil(duration / 1000)),
    ...(kind !== undefined && {
      boundObject: BoundObject.fromPartial({ kind, name: boundObjectName ?? '', uid: uid ?? '' }),
    }),
  });
  session.print(`${token}\n`);
}
