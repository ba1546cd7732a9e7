import { Command } from 'commander';
import { chooseContainer, choosePod } from '../choose-pod.ts';
import { download } from '../copy/download.ts';
import { type Place, readPlace } from '../copy/place.ts';
import type { Remote } from '../copy/remote.ts';
import { upload } from '../copy/upload.ts';
import { containerOption } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface CopyOptions {
  readonly container?: string;
}

export const cpCommand = (run: Runner) =>
  new Command('cp')
    .description('Copy files and folders into a container, and out of one')
    .argument('<from>', 'PATH, POD:PATH or NAMESPACE/POD:PATH')
    .argument('<to>', 'the same; one of the two is in a container')
    .addOption(containerOption())
    .addHelpText(
      'after',
      '\nThe container must have the program tar. Into a folder that is there a copy goes under its own name.\n\nExamples:\n  navctl cp site web:/usr/share/nginx/html\n  navctl cp web:/etc/nginx/nginx.conf ./nginx.conf\n  navctl cp shop/web:/var/log ./logs -c proxy',
    )
    .action(run(copy));

async function copy(session: Session, from: string, to: string, options: CopyOptions): Promise<void> {
  const [source, target] = [readPlace(from), readPlace(to)];
  if (source.pod === undefined && target.pod !== undefined) {
    return await upload(source.path, await remoteOf(session, target, options), target.path);
  }
  if (source.pod !== undefined && target.pod === undefined) {
    return await download(await remoteOf(session, source, options), source.path, target.path);
  }
  throw new UserError(
    source.pod === undefined
      ? 'one of the two must be in a container: POD:PATH'
      : 'one of the two must be a path of this machine',
  );
}

async function remoteOf(
  session: Session,
  place: Extract<Place, { pod: string }>,
  { container }: CopyOptions,
): Promise<Remote> {
  const within = { ...session, namespace: place.namespace ?? session.namespace };
  const pod = await choosePod(within, place.pod);
  return { session, pod, container: chooseContainer(session, pod, container) };
}
