import { builtinKinds, type KindDefinition, type Kinds, resourceNames } from '@navarch/kinds';
import { closest, isApiError } from '@navarch/machinery';
import { type Session, UserError } from './session.ts';

/** One object or all objects of one kind, as named on the command line. */
export interface Target {
  readonly kind: KindDefinition;
  /** Undefined for all. */
  readonly name: string | undefined;
}

/** Reads `pods`, `pod web api`, `pod/web svc/web`, `pods,services` and `all`. Throws UserError. */
export async function parseTargets(session: Session, args: readonly string[]): Promise<readonly Target[]> {
  const [first, ...names] = args;
  if (first === undefined) {
    throw new UserError('say what: a type such as pods, or a type and a name. `navctl api-resources` lists the types.');
  }
  if (first.includes('/')) return await Promise.all(args.map((text) => parseSlash(session, text)));
  const found = (await Promise.all(first.split(',').map((type) => kindsNamed(session, type)))).flat();
  if (names.some((name) => name.includes('/'))) {
    throw new UserError(`either name a type first (${first} NAME), or use TYPE/NAME everywhere`);
  }
  if (names.length === 0) return found.map((kind) => ({ kind, name: undefined }));
  return found.flatMap((kind) => names.map((name) => ({ kind, name })));
}

/** The same where objects must be named. */
export async function parseNamedTargets(
  session: Session,
  args: readonly string[],
): Promise<readonly (Target & { readonly name: string })[]> {
  return (await parseTargets(session, args)).map(({ kind, name }) => {
    if (name === undefined)
      throw new UserError(`say which of the ${kind.plural}: ${kind.plural} NAME, or ${kind.singular}/NAME`);
    return { kind, name };
  });
}

/** The kind of a type as users spell it. Throws UserError that lists what is close. */
export async function kindNamed(session: Session, type: string): Promise<KindDefinition> {
  const builtin = builtinKinds.byResource(type);
  if (builtin !== undefined) return builtin;
  const kinds = await session.kinds().catch((error: unknown) => {
    // Without the cluster's own kinds nothing is certain; a misspelt built-in kind is likely.
    const guess = isApiError(error, 'Unavailable') ? closestName(type, builtinKinds) : undefined;
    throw guess === undefined ? error : unknownType(type, guess);
  });
  const kind = kinds.byResource(type);
  if (kind !== undefined) {
    warnOfDeprecated(session, [kind]);
    return kind;
  }
  throw unknownType(type, closestName(type, kinds));
}

/** As kubectl passes on what the server says of a version that should no longer be used. */
export function warnOfDeprecated(session: Session, kinds: Iterable<KindDefinition>): void {
  for (const { deprecated } of new Set(kinds)) if (deprecated !== undefined) session.warn(`Warning: ${deprecated}\n`);
}

function closestName(type: string, kinds: Kinds): string | undefined {
  return closest(type.toLowerCase(), kinds.all.flatMap(resourceNames));
}

function unknownType(type: string, guess: string | undefined): UserError {
  const hint =
    guess === undefined
      ? 'the type stands before the name, as in deploy/web, and `navctl api-resources` lists the types'
      : `did you mean "${guess}"?`;
  return new UserError(`the server has no resource type "${type}"; ${hint}`);
}

/** How output names an object: pod/web, deployment.apps/web. */
export function objectName({ singular, group }: KindDefinition, name: string): string {
  return `${typeName({ singular, group })}/${name}`;
}

export function typeName({ singular, group }: Pick<KindDefinition, 'singular' | 'group'>): string {
  return group === '' ? singular : `${singular}.${group}`;
}

async function parseSlash(session: Session, text: string): Promise<Target> {
  const [type = '', name = '', ...more] = text.split('/');
  if (name === '' || more.length > 0) throw new UserError(`"${text}" must be TYPE/NAME, all of them or none`);
  return { kind: await kindNamed(session, type), name };
}

async function kindsNamed(session: Session, type: string): Promise<readonly KindDefinition[]> {
  if (type !== 'all') return [await kindNamed(session, type)];
  return (await session.kinds()).all.filter(({ categories }) => categories.includes('all'));
}
