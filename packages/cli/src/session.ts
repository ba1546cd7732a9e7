import type { Readable, Writable } from 'node:stream';
import type { ApiClient } from '@navarch/client';
import type { KindDefinition, Kinds } from '@navarch/kinds';

/** What the program reads and writes; tests give their own. */
export interface Io {
  readonly stdin: Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown; unref?(): unknown };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What every command works with. */
export interface Session {
  readonly io: Io;
  /** Where the api is. */
  readonly server: string;
  /** The namespace to work in, and whether the user named it. */
  readonly namespace: string;
  readonly namespaceGiven: boolean;
  /** Connects when it is first asked for. */
  client(): ApiClient;
  /** Every kind that the cluster has. Ask only for what is not built in: it may take a call. */
  kinds(): Promise<Kinds>;
  print(text: string): void;
  warn(text: string): void;
}

/** Something the user can put right; printed as `error: …`, without a stack. */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}

/** Where objects of the kind are: nowhere in particular for those that live in no namespace. */
export function namespaceOf(session: Session, kind: KindDefinition): string {
  return kind.scope === 'Namespaced' ? session.namespace : '';
}
