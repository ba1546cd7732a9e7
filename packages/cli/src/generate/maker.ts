import type { JsonObject } from '@navarch/machinery';
import type { Option } from 'commander';
import type { Session } from '../session.ts';

/** One way to make an object from flags: `navctl create <path> NAME`. An entry of `makers`. */
export interface Maker<F = object> {
  /** The words after create: ['secret', 'tls']. */
  readonly path: readonly string[];
  /** Other words for the last of them. */
  readonly aliases?: readonly string[];
  readonly apiVersion: string;
  readonly kind: string;
  readonly description: string;
  /** Made anew for every program: commander keeps state in them. */
  options(): readonly Option[];
  /** Without `navctl create` before them. */
  readonly examples: readonly string[];
  /** What stands after `--` is a program and its arguments. */
  readonly takesCommand?: true;
  /** The manifest but for apiVersion, kind and name. Throws UserError. */
  make(name: string, flags: F, context: MakeContext): JsonObject | Promise<JsonObject>;
}

export interface MakeContext {
  readonly session: Session;
  /** What stands after `--`. */
  readonly command: readonly string[];
}

/** Says which flags a maker reads; the table holds makers of all flags. */
export function maker<F extends object>(definition: Maker<F>): Maker {
  return definition;
}
