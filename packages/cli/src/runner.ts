import type { Command } from 'commander';
import type { Session } from './session.ts';

/** Makes one command. `run` turns what it does into what commander calls. */
export type CommandFactory = (run: Runner) => Command;

/** Hands the session to `action` before the arguments and options, and keeps the exit code: 0 unless it returns another. */
export type Runner = <A extends unknown[]>(action: Action<A>) => (...args: [...A, Command]) => Promise<void>;

export type Action<A extends unknown[]> = (session: Session, ...args: A) => unknown;
