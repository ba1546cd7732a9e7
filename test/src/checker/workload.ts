import {
  ApplyRequest,
  CreateRequest,
  DeleteRequest,
  GetRequest,
  ListRequest,
  PatchRequest,
  type Resource,
  ResourcesService,
  TransactRequest,
  UpdateRequest,
  Write,
} from '@navarch/proto';
import { type Caller, Failed } from './caller.ts';
import type { Call, Change, Key, Outcome, Question } from './history.ts';
import {
  manifestOf,
  type Marks,
  metadataOf,
  partsOf,
  remarked,
  resourceOf,
  statusRemarked,
  versionOf,
} from './marks.ts';
import { accounts, type Step } from './plan.ts';

/** What all clients write into: the order of beginnings and ends, and the calls. */
export class Recorder {
  readonly calls: Call[] = [];
  #moment = 0;

  async record(id: string, words: string, question: Question, ask: () => Promise<Outcome>): Promise<Outcome> {
    const began = ++this.#moment;
    let outcome: Outcome;
    try {
      outcome = await ask();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      outcome = error.outcome;
    }
    this.calls.push({ id, words, began, ended: ++this.#moment, question, outcome });
    return outcome;
  }
}

/** One client: takes steps one after another, and has each call recorded. */
export class Worker {
  readonly #caller: Caller;
  readonly #recorder: Recorder;
  readonly #name: string;
  #count = 0;

  constructor(options: { caller: Caller; recorder: Recorder; name: string }) {
    this.#caller = options.caller;
    this.#recorder = options.recorder;
    this.#name = options.name;
  }

  /** What the step's last call came to. */
  async take(step: Step): Promise<Outcome['type']> {
    const id = `${this.#name}.${++this.#count}`;
    switch (step.type) {
      case 'get':
        return (await this.#get(id, step.key)).type;
      case 'list':
        return await this.#list(id, step);
      case 'create':
        return await this.#create(id, step.key, step.key, step.color);
      case 'generate':
        return await this.#create(id, `${step.kind} ${step.namespace}/generated-`, undefined, step.color);
      case 'remove':
        return await this.#remove(id, step);
      case 'put':
        return await this.#put(id, step);
      case 'status':
        return await this.#status(id, step);
      case 'increment':
        return await this.#increment(id, step);
      case 'transfer':
        return await this.#transfer(id, step);
      default:
        return await this.#several(id, step);
    }
  }

  async #get(id: string, key: Key): Promise<{ type: Outcome['type']; resource: Resource | undefined }> {
    const { resource: kind, namespace, name } = partsOf(key);
    let resource: Resource | undefined;
    const { type } = await this.#recorder.record(id, `${this.#name} gets ${key}`, { type: 'get', key }, async () => {
      try {
        resource = await this.#caller.call(
          ResourcesService.get,
          GetRequest.fromJSON({ resource: kind, namespace, name }),
        );
      } catch (error) {
        if (!(error instanceof Failed) || !error.outcome.reason.startsWith('NotFound')) throw error;
        return { type: 'read', revision: 0n, objects: [] };
      }
      return { type: 'read', revision: 0n, objects: [versionOf(resource)] };
    });
    return { type, resource };
  }

  async #list(id: string, { selection, limit }: Extract<Step, { type: 'list' }>): Promise<Outcome['type']> {
    const { kind, namespace, color } = selection;
    const chunks = limit === 0 ? '' : ` in chunks of ${limit}`;
    const words = `${this.#name} lists ${color} ${kind} in ${namespace || 'all namespaces'}${chunks}`;
    const { type } = await this.#recorder.record(id, words, { type: 'list', selection }, async () => {
      const labelSelector = color === '' ? '' : `color=${color}`;
      const request = ListRequest.fromJSON({ resource: kind, namespace, labelSelector, limit });
      const objects: Resource[] = [];
      for (;;) {
        const page = await this.#caller.call(ResourcesService.list, request);
        objects.push(...page.items);
        if (page.continue === '') return { type: 'read', revision: page.revision, objects: objects.map(versionOf) };
        request.continue = page.continue;
      }
    });
    return type;
  }

  #write(
    id: string,
    words: string,
    changes: readonly Change[],
    ask: () => Promise<Resource | undefined>,
  ): Promise<Outcome['type']> {
    return this.#writes(id, words, changes, false, async () => [await ask()]);
  }

  async #writes(
    id: string,
    words: string,
    changes: readonly Change[],
    atomic: boolean,
    ask: () => Promise<readonly (Resource | undefined)[]>,
  ): Promise<Outcome['type']> {
    const question: Question = { type: 'write', changes, atomic };
    const { type } = await this.#recorder.record(id, `${this.#name} ${words}`, question, async () => {
      const resources = await ask();
      return { type: 'written', at: resources.map((each) => each && versionOf(each)) };
    });
    return type;
  }

  #create(id: string, name: Key, key: Key | undefined, color: string): Promise<Outcome['type']> {
    const resource = resourceOf(name, { by: id, color });
    return this.#write(id, `creates ${name}`, [{ key, effect: 'object', expected: 0n }], () =>
      this.#caller.call(ResourcesService.create, { ...CreateRequest.fromJSON({}), resource }),
    );
  }

  async #remove(id: string, { key, only }: Extract<Step, { type: 'remove' }>): Promise<Outcome['type']> {
    const { resource: kind, namespace, name } = partsOf(key);
    const seen = only === 'any' ? undefined : (await this.#get(`${id}r`, key)).resource;
    if (only !== 'any' && seen === undefined) return 'refused';
    const revision = only === 'revision' ? (seen?.revision ?? 0n) : 0n;
    const uid = only === 'uid' ? (seen?.object?.value.metadata?.uid ?? '') : '';
    const words = `deletes ${key}${revision === 0n ? '' : ` at revision ${revision}`}${uid && ` of uid ${uid}`}`;
    return await this.#write(id, words, [{ key, effect: 'deletion', expected: revision }], async () => {
      const request = { ...DeleteRequest.fromJSON({ resource: kind, namespace, name, uid }), revision };
      return (await this.#caller.call(ResourcesService.delete, request)).resource;
    });
  }

  #put(id: string, { key, how, color }: Extract<Step, { type: 'put' }>): Promise<Outcome['type']> {
    const marks = { by: id, color };
    const words = `${how === 'update' ? 'replaces' : how === 'apply' ? 'applies' : 'patches'} ${key} (${color})`;
    return this.#write(id, words, [{ key, effect: 'object', expected: 0n }], async () => {
      if (how === 'update') {
        const resource = resourceOf(key, marks);
        return await this.#caller.call(ResourcesService.update, { ...UpdateRequest.fromJSON({}), resource });
      }
      if (how === 'merge')
        return await this.#caller.call(ResourcesService.patch, mergePatch(key, { metadata: metadataOf(marks) }));
      const manifest = JSON.stringify(manifestOf(key, marks));
      return (await this.#caller.call(ResourcesService.apply, ApplyRequest.fromJSON({ manifest, force: true })))
        .resource;
    });
  }

  async #status(id: string, { key, how }: Extract<Step, { type: 'status' }>): Promise<Outcome['type']> {
    const change = (expected: bigint): Change[] => [{ key, effect: 'status', expected }];
    if (how === 'merge') {
      const request = { ...mergePatch(key, { status: { message: id } }), subresource: 'status' };
      return await this.#write(id, `patches the status of ${key}`, change(0n), () =>
        this.#caller.call(ResourcesService.patch, request),
      );
    }
    const { resource: seen } = await this.#get(`${id}r`, key);
    if (seen === undefined) return 'refused';
    const resource = statusRemarked(seen, id);
    return await this.#write(
      id,
      `updates the status of ${key} at revision ${seen.revision}`,
      change(seen.revision),
      () => this.#caller.call(ResourcesService.updateStatus, { ...UpdateRequest.fromJSON({}), resource }),
    );
  }

  async #increment(id: string, { key, how }: Extract<Step, { type: 'increment' }>): Promise<Outcome['type']> {
    const { resource: seen, type } = await this.#get(`${id}r`, key);
    if (seen === undefined) return type;
    const count = versionOf(seen).count + 1;
    const marks: Marks = { by: id, count, color: '' };
    const { revision } = seen;
    const words = `increments ${key} from revision ${revision} to ${count} (${how})`;
    return await this.#write(id, words, [{ key, effect: 'object', expected: revision, increments: true }], () => {
      if (how === 'update') {
        const resource = remarked(seen, marks);
        return this.#caller.call(ResourcesService.update, { ...UpdateRequest.fromJSON({}), resource });
      }
      const merge = mergePatch(key, { metadata: metadataOf(marks) });
      if (how === 'merge') return this.#caller.call(ResourcesService.patch, { ...merge, revision });
      if (how === 'strategic') return this.#caller.call(ResourcesService.patch, { ...merge, revision, type: 3 });
      const path = '/metadata/annotations/checker~1';
      const patch = JSON.stringify([
        { op: 'test', path: `${path}count`, value: String(count - 1) },
        { op: 'replace', path: `${path}count`, value: String(count) },
        { op: 'replace', path: `${path}by`, value: id },
      ]);
      return this.#caller.call(ResourcesService.patch, { ...merge, revision, type: 2, patch });
    });
  }

  async #transfer(
    id: string,
    { from, to, notary, amount }: Extract<Step, { type: 'transfer' }>,
  ): Promise<Outcome['type']> {
    const { resource: poorer, type } = await this.#get(`${id}r`, from);
    const { resource: richer, type: other } = await this.#get(`${id}s`, to);
    if (poorer === undefined || richer === undefined) return poorer === undefined ? type : other;
    const update = (resource: Resource, more: number): Write => {
      const marks = { by: id, count: versionOf(resource).count + more, color: accounts.color };
      return { write: { $case: 'update', value: remarked(resource, marks) } };
    };
    const signature: Write = {
      write: { $case: 'patch', value: mergePatch(notary, { metadata: metadataOf({ by: id, color: 'notary' }) }) },
    };
    const changes: Change[] = [
      { key: from, effect: 'object', expected: poorer.revision },
      { key: to, effect: 'object', expected: richer.revision },
      { key: notary, effect: 'object', expected: 0n },
    ];
    const words = `moves ${amount} from ${from} at revision ${poorer.revision} to ${to} at revision ${richer.revision}, signed by ${notary}`;
    const writes = [update(poorer, -amount), update(richer, amount), signature];
    return await this.#writes(id, words, changes, true, () => this.#transact(writes, true));
  }

  #several(id: string, { keys, color }: Extract<Step, { type: 'several' }>): Promise<Outcome['type']> {
    const writes = keys.map(
      (key): Write => ({
        write: { $case: 'patch', value: mergePatch(key, { metadata: metadataOf({ by: id, color }) }) },
      }),
    );
    const changes = keys.map((key): Change => ({ key, effect: 'object', expected: 0n }));
    return this.#writes(id, `patches each of ${keys.join(', ')} (${color})`, changes, false, () =>
      this.#transact(writes, false),
    );
  }

  /** A refused write of an atomic transaction refuses the call; of others, only itself. */
  async #transact(writes: Write[], atomic: boolean): Promise<readonly (Resource | undefined)[]> {
    const request = { ...TransactRequest.fromJSON({}), writes, atomic };
    const { results } = await this.#caller.call(ResourcesService.transact, request);
    return results.map(({ result }) => {
      if (result?.$case === 'resource') return result.value;
      const { reason = 'Unknown', message = '' } = result?.value ?? {};
      const unknown = ['Unavailable', 'Timeout', 'Cancelled'].includes(reason);
      // Among independent writes, one of which nobody knows makes the whole call one of which nobody knows.
      if (atomic || unknown)
        throw new Failed({ type: unknown ? 'unknown' : 'refused', reason: `${reason}: ${message}` });
      return undefined;
    });
  }
}

function mergePatch(key: Key, patch: object): PatchRequest {
  const { resource, namespace, name } = partsOf(key);
  return PatchRequest.fromJSON({ resource, namespace, name, type: 'TYPE_MERGE', patch: JSON.stringify(patch) });
}
