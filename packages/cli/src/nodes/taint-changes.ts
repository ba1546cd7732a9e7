import { isSameTaint, taintEffects, taintText } from '@navarch/kinds';
import { Taint } from '@navarch/proto';
import { UserError } from '../session.ts';

/** What a command line wants of a node's taints. */
export interface TaintChanges {
  readonly add: readonly Taint[];
  /** With effect '': of every effect. */
  readonly remove: readonly Pick<Taint, 'key' | 'effect'>[];
}

/** Whether an argument is a change, and not the name of a node. */
export function isTaintChange(text: string): boolean {
  return text.includes(':') || text.includes('=') || text.endsWith('-');
}

/** Reads `key=value:effect`, `key:effect`, `key:effect-` and `key-`. Throws UserError. */
export function readTaintChanges(texts: readonly string[]): TaintChanges {
  const add: Taint[] = [];
  const remove: Pick<Taint, 'key' | 'effect'>[] = [];
  for (const text of texts) {
    const [, key = '', value = '', effect = '', minus] =
      /^([^=:]+?)(?:=([^:]*))?(?::([A-Za-z]+))?(-)?$/.exec(text) ?? [];
    if (key === '') throw misspelt(text);
    if (effect !== '' && !taintEffects.some((each) => each === effect)) {
      throw new UserError(`"${text}": there is no effect "${effect}"; it must be ${taintEffects.join(', ')}`);
    }
    if (minus !== undefined) remove.push({ key, effect });
    else if (effect === '') throw misspelt(text);
    else add.push(Taint.fromPartial({ key, value, effect }));
  }
  for (const [index, taint] of add.entries()) {
    const twice = add.slice(0, index).some((other) => isSameTaint(other, taint));
    if (twice) throw new UserError(`${taint.key}:${taint.effect} is there twice`);
    if (remove.some((other) => isMeant(other, taint))) {
      throw new UserError(`${taint.key}:${taint.effect} can't be both set and removed`);
    }
  }
  return { add, remove };
}

/** The taints after the changes. Throws UserError for what is there already, unless it may be overwritten, or is not there. */
export function changedTaints(
  node: string,
  present: readonly Taint[],
  { add, remove }: TaintChanges,
  overwrite: boolean,
): readonly Taint[] {
  for (const each of remove) {
    if (present.some((taint) => isMeant(each, taint))) continue;
    throw new UserError(`node/${node} has no taint ${each.key}${each.effect === '' ? '' : `:${each.effect}`}`);
  }
  for (const taint of add) {
    const other = present.find((each) => isSameTaint(each, taint));
    if (other === undefined || overwrite || other.value === taint.value) continue;
    throw new UserError(`node/${node} has the taint ${taintText(other)} already; --overwrite changes it`);
  }
  const left = present.filter((taint) => !remove.some((each) => isMeant(each, taint)));
  const kept = left.filter((taint) => !add.some((each) => isSameTaint(each, taint)));
  // One that stays as it is keeps its time.
  const added = add.map(
    (taint) => left.find((each) => isSameTaint(each, taint) && each.value === taint.value) ?? taint,
  );
  return [...kept, ...added];
}

function isMeant(named: Pick<Taint, 'key' | 'effect'>, { key, effect }: Taint): boolean {
  return named.key === key && (named.effect === '' || named.effect === effect);
}

function misspelt(text: string): UserError {
  return new UserError(
    `"${text}" must be as in key=value:NoSchedule or key:NoExecute, or key:NoSchedule- and key- to remove`,
  );
}
