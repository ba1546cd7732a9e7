import { type KindDefinition, kindByResource, kinds, resourceNames } from '@navarch/kinds';
import { closest } from '@navarch/machinery';
import { UserError } from './session.ts';

/** One object or all objects of one kind, as named on the command line. */
export interface Target {
  readonly kind: KindDefinition;
  /** Undefined for all. */
  readonly name: string | undefined;
}

/** Reads `pods`, `pod web api`, `pod/web svc/web`, `pods,services` and `all`. Throws UserError. */
export function parseTargets(args: readonly string[]): readonly Target[] {
  const [first, ...names] = args;
  if (first === undefined) {
    throw new UserError('say what: a type such as pods, or a type and a name. `navctl api-resources` lists the types.');
  }
  if (first.includes('/')) return args.map(parseSlash);
  const found = first.split(',').flatMap((type) => kindsNamed(type));
  if (names.some((name) => name.includes('/'))) {
    throw new UserError(`either name a type first (${first} NAME), or use TYPE/NAME everywhere`);
  }
  if (names.length === 0) return found.map((kind) => ({ kind, name: undefined }));
  return found.flatMap((kind) => names.map((name) => ({ kind, name })));
}

/** The same where objects must be named. */
export function parseNamedTargets(args: readonly string[]): readonly (Target & { readonly name: string })[] {
  return parseTargets(args).map(({ kind, name }) => {
    if (name === undefined)
      throw new UserError(`say which of the ${kind.plural}: ${kind.plural} NAME, or ${kind.singular}/NAME`);
    return { kind, name };
  });
}

/** The kind of a type as users spell it. Throws UserError that lists what is close. */
export function kindNamed(type: string): KindDefinition {
  const kind = kindByResource(type);
  if (kind !== undefined) return kind;
  const guess = closest(type.toLowerCase(), kinds.flatMap(resourceNames));
  const hint = guess === undefined ? 'see `navctl api-resources`' : `did you mean "${guess}"?`;
  throw new UserError(`the server has no resource type "${type}"; ${hint}`);
}

/** How output names an object: pod/web, deployment.apps/web. */
export function objectName({ singular, group }: KindDefinition, name: string): string {
  return `${typeName({ singular, group })}/${name}`;
}

export function typeName({ singular, group }: Pick<KindDefinition, 'singular' | 'group'>): string {
  return group === '' ? singular : `${singular}.${group}`;
}

function parseSlash(text: string): Target {
  const [type = '', name = '', ...more] = text.split('/');
  if (name === '' || more.length > 0) throw new UserError(`"${text}" must be TYPE/NAME, all of them or none`);
  return { kind: kindNamed(type), name };
}

function kindsNamed(type: string): readonly KindDefinition[] {
  return type === 'all' ? kinds.filter(({ categories }) => categories.includes('all')) : [kindNamed(type)];
}
