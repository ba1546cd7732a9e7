import { UserError } from '../session.ts';

/** A file or folder of this machine, or of a container. */
export type Place =
  | { readonly pod: undefined; readonly path: string }
  | { readonly pod: string; readonly namespace: string | undefined; readonly path: string };

/** Reads PATH, POD:PATH and NAMESPACE/POD:PATH. A path with a colon in it is one of this machine when it begins with . or /. */
export function readPlace(text: string): Place {
  const colon = text.indexOf(':');
  if (colon < 0 || /^[./]/.test(text)) {
    if (text === '') throw new UserError('a path must not be empty');
    return { pod: undefined, path: text };
  }
  const [names, path] = [text.slice(0, colon).split('/'), text.slice(colon + 1)];
  const [first = '', second] = names;
  if (path === '' || first === '' || second === '' || names.length > 2) {
    throw new UserError(`"${text}" must be POD:PATH or NAMESPACE/POD:PATH; begin a path of this machine with ./`);
  }
  return second === undefined ? { pod: first, namespace: undefined, path } : { pod: second, namespace: first, path };
}

/** Where in `target` something named `name` in an archive of `root` belongs; undefined where that would be outside of it. */
export function placeWithin(name: string, root: string): readonly string[] | undefined {
  const steps = cleaned(name);
  const above = cleaned(root);
  if (steps.includes('..') || above.some((step, index) => steps[index] !== step)) return undefined;
  return steps.slice(above.length);
}

function cleaned(path: string): readonly string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.');
}
