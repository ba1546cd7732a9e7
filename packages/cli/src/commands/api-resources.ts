import { builtinKinds, collectionOf } from '@navarch/kinds';
import { formatTable, isApiError } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { errorText } from '../errors.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

interface ApiResourcesOptions {
  readonly output?: 'name' | 'wide';
  readonly headers: boolean;
  readonly namespaced?: string;
  readonly apiGroup?: string;
}

export const apiResourcesCommand = (run: Runner) =>
  new Command('api-resources')
    .description('List the types of objects')
    .addOption(new Option('-o, --output <format>').choices(['wide', 'name']))
    .addOption(
      new Option('--namespaced <bool>', 'only those that live in namespaces, or only others').choices([
        'true',
        'false',
      ]),
    )
    .option('--api-group <group>', 'only those of this group')
    .option('--no-headers', 'no titles above the columns')
    .addHelpText('after', '\nExamples:\n  navctl api-resources\n  navctl api-resources --namespaced=false')
    .action(run(apiResources));

async function apiResources(
  session: Session,
  { output, headers, namespaced, apiGroup }: ApiResourcesOptions,
): Promise<void> {
  const { all } = await session.kinds().catch((error: unknown) => {
    if (!isApiError(error, 'Unavailable')) throw error;
    session.warn(`${errorText(error, session.server)}\nOnly what every cluster has is listed.\n`);
    return builtinKinds;
  });
  const shown = all
    // Of several versions of a kind, the preferred one.
    .filter((kind) => kind.resource === collectionOf(kind))
    .filter(({ scope }) => namespaced === undefined || (scope === 'Namespaced') === (namespaced === 'true'))
    .filter(({ group }) => apiGroup === undefined || group === apiGroup)
    .toSorted((a, b) => a.group.localeCompare(b.group) || a.plural.localeCompare(b.plural));
  if (output === 'name') {
    for (const { resource } of shown) session.print(`${resource}\n`);
    return;
  }
  const rows = shown.map(({ plural, shortNames, apiVersion, scope, kind, categories }) => {
    const row = [plural, shortNames.join(','), apiVersion, String(scope === 'Namespaced'), kind];
    return output === 'wide' ? [...row, categories.join(',')] : row;
  });
  const titles = [
    'NAME',
    'SHORTNAMES',
    'APIVERSION',
    'NAMESPACED',
    'KIND',
    ...(output === 'wide' ? ['CATEGORIES'] : []),
  ];
  session.print(formatTable(headers ? [titles, ...rows] : rows));
}
