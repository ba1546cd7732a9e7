import type { FileOptions } from '../manifests.ts';

/** The flags of `navctl get`. */
export interface GetOptions extends Partial<FileOptions> {
  readonly output?: 'wide' | 'yaml' | 'json' | 'name';
  readonly at?: string;
  readonly watch?: boolean;
  readonly watchOnly?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly allNamespaces?: boolean;
  readonly showLabels?: boolean;
  readonly showManagedFields?: boolean;
  /** --no-headers makes it false. */
  readonly headers: boolean;
  readonly ignoreNotFound?: boolean;
}
