import { type KindDefinition, manifest } from '@navarch/kinds';
import { type Json, jsonPath, type KubeObject } from '@navarch/machinery';
import { UserError } from './session.ts';

/** What `navctl wait --for` waits for. */
export interface WantedState {
  /** Whether it may wait for an object that is not there. */
  readonly maybeAbsent: boolean;
  /** Undefined stands for an object that is not there. */
  holds(kind: KindDefinition, object: KubeObject | undefined): boolean;
}

/**
 * Reads delete, create, condition=NAME, condition=NAME=STATUS, jsonpath={PATH} and jsonpath={PATH}=VALUE. Throws UserError.
 */
export function readState(text: string): WantedState {
  if (text === 'delete') return { maybeAbsent: true, holds: (_kind, object) => object === undefined };
  if (text === 'create') return { maybeAbsent: true, holds: (_kind, object) => object !== undefined };
  const equals = text.indexOf('=');
  const [how, rest] = [text.slice(0, equals), text.slice(equals + 1)];
  if (how === 'condition' && rest !== '') return conditionState(rest);
  if (how === 'jsonpath' && rest !== '') return pathState(rest);
  throw new UserError(
    `--for must be condition=NAME, condition=NAME=STATUS, jsonpath={.PATH}, jsonpath={.PATH}=VALUE, create or delete, not "${text}"`,
  );
}

function conditionState(text: string): WantedState {
  const [type = '', wanted = 'True'] = splitOnce(text);
  const same = (one: string | undefined, two: string) => one?.toLowerCase() === two.toLowerCase();
  return {
    maybeAbsent: false,
    holds: (kind, object) => {
      if (object === undefined) return false;
      const { conditions = [], observedGeneration } = (manifest(kind, object)['status'] ?? {}) as {
        conditions?: { type?: string; status?: string; observedGeneration?: number }[];
        observedGeneration?: number;
      }; // as in meta.proto
      const found = conditions.find((condition) => same(condition.type, type));
      // What was found out before the last change says nothing of the object as it is now.
      const seen = found?.observedGeneration ?? observedGeneration;
      if (seen !== undefined && seen < (object.metadata?.generation ?? 0)) return false;
      return same(found?.status, wanted);
    },
  };
}

function pathState(text: string): WantedState {
  const match = /^\{(.*?)\}(?:=(.*))?$/s.exec(text) ?? /^([^=]+?)(?:=(.*))?$/s.exec(text);
  const path = match?.[1] ?? '';
  const read = jsonPath(path.startsWith('.') || path.startsWith('[') ? path : `.${path}`);
  if (read === undefined || path === '') throw new UserError(`--for: "${path}" is no path such as {.status.phase}`);
  const wanted = match?.[2];
  if (wanted === '') throw new UserError(`--for: after ${path}= the value is missing`);
  return {
    maybeAbsent: false,
    holds: (kind, object) => {
      const values = object === undefined ? [] : read(manifest(kind, object) as Json);
      if (wanted === undefined) return values.length > 0;
      if (values.length > 1)
        throw new UserError(`--for: ${path} leads to ${values.length} values; it must lead to one`);
      return values.some((value) => valueText(value, path) === wanted.replace(/^(["'])(.*)\1$/s, '$2'));
    },
  };
}

function valueText(value: Json, path: string): string {
  if (typeof value === 'object' && value !== null) {
    throw new UserError(`--for: ${path} leads to ${Array.isArray(value) ? 'a list' : 'an object'}, not to a value`);
  }
  return String(value);
}

/** condition=Ready=False is Ready and False. */
function splitOnce(text: string): readonly (string | undefined)[] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text] : [text.slice(0, equals), text.slice(equals + 1)];
}
