import { randomFrom, type Random } from '@navarch/machinery';
import type { Key, Selection } from './history.ts';

/**
 * What a run does, as data that follows from its seed alone: each client's steps, and the faults in their order. How the
 * processes interleave is theirs; a seed that failed brings the same requests and the same faults again.
 */
export const clients = 6;
export const accounts = { color: 'account', count: 4, each: 100 };

export type Step =
  /** Read, add one, and write on the condition that nobody was faster. */
  | { readonly type: 'increment'; readonly key: Key; readonly how: 'update' | 'merge' | 'json' | 'strategic' }
  | { readonly type: 'put'; readonly key: Key; readonly how: 'update' | 'merge' | 'apply'; readonly color: string }
  | { readonly type: 'create'; readonly key: Key; readonly color: string }
  | { readonly type: 'generate'; readonly kind: string; readonly namespace: string; readonly color: string }
  | { readonly type: 'status'; readonly key: Key; readonly how: 'update' | 'merge' }
  | { readonly type: 'remove'; readonly key: Key; readonly only: 'any' | 'revision' | 'uid' }
  | { readonly type: 'get'; readonly key: Key }
  | { readonly type: 'list'; readonly selection: Selection; readonly limit: number }
  /** Move money between two accounts and have a notary of another kind sign it, all or nothing. */
  | { readonly type: 'transfer'; readonly from: Key; readonly to: Key; readonly notary: Key; readonly amount: number }
  /** Writes that travel together, each on its own. */
  | { readonly type: 'several'; readonly keys: readonly Key[]; readonly color: string };

export interface ProcessFault {
  readonly type: 'kill' | 'pause';
  readonly whom: 'etcd' | 'nats' | 'api';
  readonly api: number;
}

/** Of an api's connections to etcd, or of clients' to an api. */
export interface NetworkFault {
  /** `lose` cuts once `bytes` more have come back: somebody's answer is lost on its way. */
  readonly type: 'cut' | 'hold' | 'refuse' | 'lose';
  readonly where: 'etcd' | 'clients';
  readonly api: number;
  readonly bytes: number;
}

export type Fault = ProcessFault | NetworkFault;

export interface TimedFault {
  readonly fault: Fault;
  readonly afterMs: number;
  readonly lastsMs: number;
}

const namespaces = ['default', 'checker'];
const named = (kind: string, name: string, count: number): Key[] =>
  Array.from({ length: count }, (_, i) => `${kind} ${namespaces[i % 2]}/${name}-${i}`);

export const counterKeys: readonly Key[] = [...named('configmaps', 'counter', 2), ...named('pods', 'counter', 1)];
export const accountKeys: readonly Key[] = named('configmaps', 'account', accounts.count);
const notaryKeys: readonly Key[] = [...named('pods', 'notary', 1), ...named('secrets', 'notary', 1)];
/** What there is from the beginning, and never removed. */
export const lastingKeys: readonly Key[] = [...counterKeys, ...accountKeys, ...notaryKeys];

const registers: readonly Key[] = [
  ...named('configmaps', 'register', 4),
  ...named('secrets', 'register', 2),
  ...named('pods', 'register', 3),
  ...named('services', 'register', 2),
];
const replaceable = registers.filter((key) => /^(configmaps|secrets) /.test(key));
const pods = registers.filter((key) => key.startsWith('pods '));
const kinds = ['configmaps', 'secrets', 'pods', 'services'];
const colors = ['red', 'blue'];

/** A client's steps, without end. */
export function* steps(seed: number, client: number): Generator<Step, never, void> {
  const random = randomFrom(seed * 1_000 + client);
  for (;;) yield step(random);
}

function step(random: Random): Step {
  const color = random.pick(colors);
  const dice = random.below(100);
  if (dice < 16) {
    const how = random.pick(['update', 'merge', 'json', 'strategic'] as const);
    return { type: 'increment', key: random.pick(counterKeys), how };
  }
  if (dice < 34) {
    const how = random.pick(['update', 'merge', 'apply'] as const);
    const key = random.pick(how === 'update' ? replaceable : registers);
    return { type: 'put', key, how, color };
  }
  if (dice < 44) return { type: 'create', key: random.pick(registers), color };
  if (dice < 47) {
    return { type: 'generate', kind: random.pick(['configmaps', 'pods']), namespace: random.pick(namespaces), color };
  }
  if (dice < 53) return { type: 'status', key: random.pick(pods), how: random.pick(['update', 'merge'] as const) };
  if (dice < 61) {
    return { type: 'remove', key: random.pick(registers), only: random.pick(['any', 'revision', 'uid'] as const) };
  }
  if (dice < 73) return { type: 'get', key: random.pick([...registers, ...lastingKeys]) };
  if (dice < 83) {
    const choice = {
      kind: random.pick(kinds),
      namespace: random.pick(['', ...namespaces]),
      color: random.pick(['', ...colors]),
    };
    const selection = random.chance(0.4) ? { kind: 'configmaps', namespace: '', color: accounts.color } : choice;
    return { type: 'list', selection, limit: random.pick([0, 2, 3]) };
  }
  if (dice < 94) {
    const from = random.pick(accountKeys);
    const to = random.pick(accountKeys.filter((key) => key !== from));
    return { type: 'transfer', from, to, notary: random.pick(notaryKeys), amount: 1 + random.below(20) };
  }
  const keys = [random.pick(registers), ...registers.filter(() => random.chance(0.3))];
  return { type: 'several', keys: [...new Set(keys)], color };
}

/** Faults one after another, without end; two such rows of them run beside each other. */
export function* faults(seed: number, row: number): Generator<TimedFault, never, void> {
  const random = randomFrom(seed * 1_000 + 900 + row);
  for (;;) {
    const fault = row === 0 ? serverFault(random) : networkFault(random);
    yield { fault, afterMs: 300 + random.below(1_200), lastsMs: 100 + random.below(random.pick([400, 1_500, 3_000])) };
  }
}

function serverFault(random: Random): Fault {
  const type = random.pick(['kill', 'pause'] as const);
  return { type, whom: random.pick(['etcd', 'nats', 'api', 'api'] as const), api: random.below(2) };
}

function networkFault(random: Random): Fault {
  const type = random.pick(['cut', 'hold', 'refuse', 'lose', 'lose', 'lose'] as const);
  const where = random.pick(['etcd', 'clients'] as const);
  return { type, where, api: random.below(2), bytes: 1 + random.below(20_000) };
}

export function describeFault(fault: Fault): string {
  if ('whom' in fault) {
    return `${fault.type} ${fault.whom}${fault.whom === 'api' ? ` ${fault.api}` : ''}`;
  }
  const between = fault.where === 'etcd' ? `between api ${fault.api} and etcd` : `between clients and api ${fault.api}`;
  return fault.type === 'lose' ? `cut ${between} after ${fault.bytes} bytes of answers` : `${fault.type} ${between}`;
}
