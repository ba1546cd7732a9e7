import { type KindDefinition, manifest } from '@navarch/kinds';
import type { JsonObject, KubeObject } from '@navarch/machinery';
import { PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { dryRunNote, dryRunOption, fieldManagerOption, isDryRun, type WriteFlags, writeOptions } from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

export const setCommand = (run: Runner) => {
  const command = new Command('set').description('Change one thing of an object');
  command
    .command('image')
    .description("Change containers' images")
    .argument('<target...>', 'TYPE/NAME, then CONTAINER=IMAGE…; * for all containers')
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText('after', '\nExample:\n  navctl set image deploy/web nginx=nginx:1.27')
    .action(run(setImage));
  return command;
};

async function setImage(session: Session, args: readonly string[], flags: WriteFlags): Promise<void> {
  const images = new Map(args.filter((text) => text.includes('=')).map(splitImage));
  if (images.size === 0) throw new UserError('say which image: CONTAINER=IMAGE');
  for (const { kind, name } of await parseNamedTargets(
    session,
    args.filter((text) => !text.includes('=')),
  )) {
    const key = { namespace: namespaceOf(session, kind), name };
    const object = await session.client().get(kind, key);
    const patch = imagePatch(kind, object, images);
    const text = { type: PatchRequest_Type.STRATEGIC, patch };
    const changed = await session.client().patch(kind, key, text, writeOptions(flags));
    if (isDryRun(flags) || changed.metadata?.resourceVersion !== object.metadata?.resourceVersion) {
      session.print(`${objectName(kind, name)} image updated${dryRunNote(flags)}\n`);
    }
  }
}

function splitImage(text: string): [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function imagePatch(kind: KindDefinition, object: KubeObject, images: ReadonlyMap<string, string>): string {
  const spec = (manifest(kind, object)['spec'] ?? {}) as JsonObject; // a message, by the contract
  const template = spec['template'] as JsonObject | undefined;
  const podSpec = (template === undefined ? spec : template['spec']) as Record<string, { name: string }[] | undefined>;
  const patch: Record<string, { name: string; image: string }[]> = {};
  const known = new Set<string>();
  for (const list of ['initContainers', 'containers']) {
    for (const { name } of podSpec[list] ?? []) {
      known.add(name);
      const image = images.get(name) ?? (list === 'containers' ? images.get('*') : undefined);
      if (image !== undefined) patch[list] = [...(patch[list] ?? []), { name, image }];
    }
  }
  for (const name of images.keys()) {
    if (name !== '*' && !known.has(name)) {
      throw new UserError(`unable to find container named "${name}"; there is ${[...known].join(', ') || 'none'}`);
    }
  }
  return JSON.stringify({ spec: template === undefined ? patch : { template: { spec: patch } } });
}
