import { Command } from 'commander';
import type { CommandFactory, Runner } from '../runner.ts';
import { setEnvCommand } from './set-env.ts';
import { setImageCommand } from './set-image.ts';
import { setResourcesCommand } from './set-resources.ts';
import { setSelectorCommand } from './set-selector.ts';
import { setServiceAccountCommand } from './set-service-account.ts';

const subcommands: readonly CommandFactory[] = [
  setImageCommand,
  setEnvCommand,
  setResourcesCommand,
  setSelectorCommand,
  setServiceAccountCommand,
];

export const setCommand = (run: Runner) => {
  const command = new Command('set')
    .description('Change one thing of an object: images, variables, resources, a selector, an account')
    .addHelpText(
      'after',
      '\nExamples:\n  navctl set image deploy/web nginx=nginx:1.27\n  navctl set env deploy/web LOG_LEVEL=debug\n  navctl set resources deploy/web --limits=memory=256Mi',
    );
  for (const factory of subcommands) command.addCommand(factory(run));
  return command;
};
