import type { JsonObject } from '@navarch/machinery';
import { UserError } from '../session.ts';

/** What shall become of environment variables: a value, a place that it comes from, or undefined to remove it. */
export type EnvChanges = ReadonlyMap<string, EnvValue | undefined>;

export type EnvValue = { readonly value: string } | { readonly valueFrom: JsonObject };

/** Reads KEY=value and KEY-. Throws UserError for anything else, and for keys that stand twice. */
export function readEnv(texts: readonly string[]): EnvChanges {
  const changes = new Map<string, EnvValue | undefined>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const removes = equals < 0 && text.endsWith('-');
    const key = removes ? text.slice(0, -1) : text.slice(0, equals);
    if (!/^[^=\s]+$/.test(key) || (equals < 0 && !removes)) {
      throw new UserError(`"${text}" is no change: say KEY=value, or KEY- to remove it`);
    }
    if (changes.has(key)) throw new UserError(`"${key}" stands there twice`);
    changes.set(key, removes ? undefined : { value: text.slice(equals + 1) });
  }
  return changes;
}

/** One variable for each key of a ConfigMap or Secret. Names are as shells have them. */
export function envFrom(
  kind: 'ConfigMap' | 'Secret',
  name: string,
  keys: readonly string[],
  prefix: string,
): EnvChanges {
  const field = kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
  return new Map(
    keys.map((key) => [
      prefix + key.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_'),
      { valueFrom: { [field]: { name, key } } },
    ]),
  );
}

/** The strategic patch of a container's env. A value takes the place of a source, and the other way round. */
export function envPatch(changes: EnvChanges): JsonObject[] {
  return [...changes].map(([name, value]) => {
    if (value === undefined) return { name, $patch: 'delete' };
    return 'value' in value ? { name, value: value.value, valueFrom: null } : { name, value: null, ...value };
  });
}

/** A container's variables as `--list` shows them: as a shell would set them, and as remarks where they come from elsewhere. */
export function envLines(container: JsonObject): readonly string[] {
  const { env = [], envFrom: sources = [] } = container as {
    env?: { name: string; value?: string; valueFrom?: Record<string, Record<string, string>> }[];
    envFrom?: { prefix?: string; configMapRef?: { name: string }; secretRef?: { name: string } }[];
  }; // as in pod.proto
  return [
    ...sources.map(({ prefix = '', configMapRef, secretRef }) => {
      const from = configMapRef === undefined ? `secret ${secretRef?.name}` : `configmap ${configMapRef.name}`;
      return `# all keys of ${from}${prefix === '' ? '' : `, with ${prefix} before them`}`;
    }),
    ...env.map(({ name, value = '', valueFrom }) =>
      valueFrom === undefined ? `${name}=${value}` : `# ${name} from ${sourceText(valueFrom)}`,
    ),
  ];
}

function sourceText(source: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = source;
  if (configMapKeyRef !== undefined) return `configmap ${configMapKeyRef['name']}, key ${configMapKeyRef['key']}`;
  if (secretKeyRef !== undefined) return `secret ${secretKeyRef['name']}, key ${secretKeyRef['key']}`;
  return fieldRef === undefined ? `resource ${resourceFieldRef?.['resource']}` : `field ${fieldRef['fieldPath']}`;
}
