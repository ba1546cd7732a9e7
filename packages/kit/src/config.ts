import { Command, CommanderError, Option } from 'commander';
import { Expected, type Parser } from './parsers.ts';

/** One setting: a flag, a variable of the environment, or the default, in this order. */
export interface Setting<T> {
  /** As commander writes it: `--listen <address>`; without a value for a `boolean`. */
  readonly flag: string;
  readonly env?: string;
  /** In the form a user would write. Without it and without `required` the value is undefined when not given. */
  readonly default?: string;
  readonly required?: boolean;
  readonly description: string;
  readonly parse: Parser<T>;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

type ValueOf<S> = S extends { readonly parse: Parser<infer T> }
  ? S extends { readonly default: string } | { readonly required: true }
    ? T
    : T | undefined
  : never;

export type ConfigOf<S extends Settings> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** A setting is wrong: `message` is one sentence naming it and what is expected. */
export class ConfigError extends Error {}

/** Not an error: `--help` or `--version` was asked for, and `text` answers it. */
export class ConfigHelp {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface Config<S extends Settings> {
  /** The values. Throws ConfigError. Returns ConfigHelp when that was asked for. */
  read(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): ConfigOf<S> | ConfigHelp;
  /** For `main.ts`: reads the process' own flags and environment; prints help or the error and exits (2) itself. */
  readOrExit(): ConfigOf<S>;
}

/**
 * Declares a process' settings:
 *
 *     const config = defineConfig({ name: 'navarch-api', description: 'Serves …' }, {
 *       listen: { flag: '--listen <address>', env: 'NAVARCH_LISTEN', default: '127.0.0.1:7400', description: '…', parse: address },
 *     });
 *     const { listen } = config.readOrExit();
 */
export function defineConfig<const S extends Settings>(
  about: { name: string; description: string; version?: string },
  settings: S,
): Config<S> {
  const read: Config<S>['read'] = (argv, env) => {
    const given = readFlags(about, settings, argv);
    if (given instanceof ConfigHelp) return given;
    const values = Object.entries(settings).map(([key, setting]) => [key, readSetting(setting, given, env)]);
    // The entries are those of `settings`, each parsed by its own parser: ConfigOf<S> by construction.
    return Object.fromEntries(values) as ConfigOf<S>;
  };
  const readOrExit = (): ConfigOf<S> => {
    let result: ConfigOf<S> | ConfigHelp;
    try {
      result = read(process.argv.slice(2), process.env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      process.stderr.write(`${about.name}: ${error.message}\n`);
      return process.exit(2);
    }
    if (!(result instanceof ConfigHelp)) return result;
    process.stdout.write(result.text);
    return process.exit(0);
  };
  return { read, readOrExit };
}

type Flags = ReadonlyMap<string, string | boolean>;

function readFlags(
  about: { name: string; description: string; version?: string },
  settings: Settings,
  argv: readonly string[],
): Flags | ConfigHelp {
  let output = '';
  const command = new Command(about.name)
    .description(about.description)
    .helpOption('-h, --help', 'show this help')
    .configureOutput({ writeOut: (text) => void (output += text), writeErr: () => {}, outputError: () => {} })
    .allowExcessArguments(false)
    .exitOverride();
  if (about.version !== undefined) command.version(about.version, '--version', 'show the version');
  const options = Object.values(settings).map((setting) => new Option(setting.flag, describe(setting)));
  for (const option of options) command.addOption(option);
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return new ConfigHelp(output);
    throw new ConfigError(`${error.message.replace(/^error: |\.$/g, '').replaceAll('\n', ' ')}; see --help`);
  }
  const values: Record<string, string | boolean | undefined> = command.opts();
  return new Map(
    options.flatMap((option) => {
      const value = values[option.attributeName()];
      return value === undefined ? [] : [[option.flags, value] as const];
    }),
  );
}

function describe({ description, env, default: fallback, required }: Setting<unknown>): string {
  const notes = [
    ...(env === undefined ? [] : [`env ${env}`]),
    ...(fallback === undefined ? [] : [`default ${fallback}`]),
    ...(required === true ? ['required'] : []),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join(', ')})`;
}

function readSetting(
  setting: Setting<unknown>,
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
): unknown {
  const flag = setting.flag.split(/[ ,]/).find((word) => word.startsWith('--')) ?? setting.flag;
  const fromFlag = flags.get(setting.flag);
  if (fromFlag !== undefined) return parse(setting, String(fromFlag), flag);
  const fromEnv = setting.env === undefined ? undefined : env[setting.env];
  if (fromEnv !== undefined && fromEnv !== '') return parse(setting, fromEnv, setting.env ?? flag);
  if (setting.default !== undefined) return parse(setting, setting.default, flag);
  if (setting.required !== true) return undefined;
  throw new ConfigError(
    `${flag}${setting.env === undefined ? '' : ` (or ${setting.env})`} must be set: ${setting.description}`,
  );
}

function parse(setting: Setting<unknown>, text: string, source: string): unknown {
  try {
    return setting.parse(text);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    throw new ConfigError(`${source} is "${text}", but expected ${error.message}`);
  }
}
