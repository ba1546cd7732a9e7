import type { KindDefinition } from '@navarch/kinds';
import { isApiError, type KubeObject } from '@navarch/machinery';
import type { Command } from 'commander';
import { reportError } from './errors.ts';
import { type FileOptions, readManifests } from './manifests.ts';
import {
  allNamespacesOption,
  fieldSelectorOption,
  filenameOption,
  recursiveOption,
  selectorOption,
} from './options.ts';
import { parseTargets } from './resource-args.ts';
import { namespaceOf, type Session, UserError } from './session.ts';

/** One object that a command line names. */
export interface Chosen {
  readonly kind: KindDefinition;
  readonly namespace: string;
  readonly name: string;
  /** The object as it was listed, where it was chosen from a list. */
  readonly listed?: KubeObject;
}

/** The flags by which several objects are chosen at once. */
export interface ChoiceOptions extends Partial<FileOptions> {
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
}

/** Adds the argument and the flags that `chooseObjects` reads. */
export function withChoice(command: Command): Command {
  return command
    .argument('[target...]', 'TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .option('--all', 'all objects of the type in the namespace')
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .addOption(fieldSelectorOption());
}

/**
 * The objects that `pod web api`, `pod/web svc/web`, `pods -l app=web`, `pods --all` or `-f web.yaml` mean. Those chosen by
 * name or file need not be there. Throws UserError when nothing is named.
 */
export async function chooseObjects(
  session: Session,
  args: readonly string[],
  options: ChoiceOptions,
): Promise<readonly Chosen[]> {
  const { filename, recursive = false } = options;
  if (filename !== undefined) {
    if (args.length > 0) throw new UserError('either name objects, or give files with -f; not both');
    const manifests = await readManifests(session, { filename, recursive }, 'names');
    return manifests.map(({ kind, name, object }) => ({
      kind,
      name,
      namespace: kind.scope === 'Namespaced' ? object.metadata?.namespace || session.namespace : '',
    }));
  }
  const targets = await parseTargets(session, args);
  const selects = options.selector !== undefined || options.fieldSelector !== undefined || options.all === true;
  const chosen: Chosen[] = [];
  for (const { kind, name } of targets) {
    if (name === undefined) {
      if (!selects) throw new UserError(`say which ${kind.plural}: by name, with -l or --field-selector, or --all`);
      chosen.push(...(await listed(session, kind, options)));
      continue;
    }
    if (selects) throw new UserError('a name excludes -l, --field-selector and --all');
    chosen.push({ kind, namespace: namespaceOf(session, kind), name });
  }
  return chosen;
}

async function listed(session: Session, kind: KindDefinition, options: ChoiceOptions): Promise<readonly Chosen[]> {
  const { selector, fieldSelector, allNamespaces } = options;
  const { items } = await session.client().list(kind, {
    namespace: allNamespaces === true ? '' : namespaceOf(session, kind),
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
  return items.map((item) => {
    const { namespace = '', name = '' } = item.metadata ?? {};
    return { kind, namespace, name, listed: item };
  });
}

/**
 * Does it with one after another. What goes wrong with one is told, and the others are done all the same; an api that is
 * away ends it. Gives the exit code.
 */
export async function forEachOf<T>(
  session: Session,
  items: readonly T[],
  act: (item: T) => Promise<void>,
): Promise<number> {
  if (items.length === 0) session.warn('No resources found\n');
  let code = 0;
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      if (session.io.signal.aborted || isApiError(error, 'Unavailable', 'Timeout')) throw error;
      code = reportError(error, session.server, (text) => session.warn(text));
    }
  }
  return code;
}
