import { Command } from 'commander';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { changeContainers, namesOf, type SetFlags, withSetFlags } from '../set/change-containers.ts';

export const setImageCommand = (run: Runner) =>
  withSetFlags(new Command('image'))
    .description("Change containers' images")
    .usage('[options] TYPE/NAME…  CONTAINER=IMAGE…')
    .addHelpText(
      'after',
      '\n* stands for every container.\n\nExamples:\n  navctl set image deploy/web nginx=nginx:1.27\n  navctl set image deploy -l app=web "*=nginx:1.27" --wait',
    )
    .action(run(setImage));

async function setImage(session: Session, args: readonly string[], flags: SetFlags): Promise<number> {
  const isImage = (text: string) => text.includes('=');
  const images = new Map(args.filter(isImage).map(readImage));
  if (images.size === 0) throw new UserError('say which image: CONTAINER=IMAGE');
  const named = args.filter((text) => !isImage(text));
  return changeContainers(session, named, flags, {
    what: 'image',
    refuse: (containers) => {
      const missing = [...images.keys()].find((name) => name !== '*' && !containers.some((each) => each.name === name));
      return missing === undefined ? undefined : `unable to find container named "${missing}"; ${namesOf(containers)}`;
    },
    patch: ({ name, isInit }) => {
      const image = images.get(name) ?? (isInit ? undefined : images.get('*'));
      return image === undefined ? undefined : { image };
    },
  });
}

function readImage(text: string): [string, string] {
  const equals = text.indexOf('=');
  const [name, image] = [text.slice(0, equals), text.slice(equals + 1)];
  if (name === '' || image === '') throw new UserError(`"${text}" must be CONTAINER=IMAGE`);
  return [name, image];
}
