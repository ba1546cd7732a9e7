import { builtinKinds } from '@navarch/kinds';
import { age, formatTable, humanDuration } from '@navarch/machinery';
import { type Blocker, Blocker_Type, type Content, type Dependent, type WhyResponse } from '@navarch/proto';
import { objectName } from '../resource-args.ts';

/** So many objects of a kind are shown; of the others, only how many they are. */
const mostShown = 10;

/** What keeps `name` from going, or would, as a page. */
export function whyText(name: string, answer: WhyResponse, now: number): string {
  const { deletionTimestamp, blockers, dependents, moreDependents, contents } = answer;
  return [
    headline(name, answer, now),
    ...blockers.flatMap((blocker) => blockerLines(blocker, now).map((line) => `  ${line}\n`)),
    ...(dependents.length === 0 ? [] : dependentsText(dependents, moreDependents, deletionTimestamp !== '', now)),
    ...(contents.length === 0 ? [] : ['\nIn it:\n', indented(contents.flatMap((each) => contentRows(each, now)))]),
  ].join('');
}

function headline(name: string, { deletionTimestamp, blockers }: WhyResponse, now: number): string {
  const held = blockers.length > 0;
  if (deletionTimestamp === '') {
    const asked = `Nobody has asked ${name} to go. If somebody did,`;
    return held ? `${asked} it would wait for:\n` : `${asked} nothing would keep it.\n`;
  }
  const asked = `${name} was asked to go ${age(deletionTimestamp, now)} ago,`;
  return held ? `${asked} and waits for:\n` : `${asked} and nothing keeps it any more.\n`;
}

function blockerLines(blocker: Blocker, now: number): readonly string[] {
  const { finalizer, worker, workerState, waitsFor, remedy, since, setBy, setAt } = blocker;
  const what = blocker.type === Blocker_Type.GRACE_PERIOD ? 'its grace period' : `the finalizer ${finalizer}`;
  const times = [...(since === '' ? [] : [`for ${age(since, now)}`]), ...timeLeft(blocker, now)];
  return [
    `- ${what}${times.length === 0 ? '' : ` (${times.join(', ')})`}`,
    `    ${worker === '' ? '' : `${worker}: `}${workerState}`,
    ...(setBy === '' ? [] : [`    put there by ${setBy}, ${age(setAt, now)} ago`]),
    ...(waitsFor === '' ? [] : [`    waits for ${waitsFor}`]),
    ...(remedy === '' ? [] : [`    ${remedy}`]),
  ];
}

function timeLeft({ until }: Blocker, now: number): readonly string[] {
  if (until === '') return [];
  const leftMs = Date.parse(until) - now;
  return [leftMs > 0 ? `${humanDuration(leftMs)} left` : `over for ${humanDuration(-leftMs)}`];
}

function dependentsText(
  dependents: readonly Dependent[],
  more: number,
  going: boolean,
  now: number,
): readonly string[] {
  const shown = new Map<string, number>();
  const hidden = new Map<string, number>();
  const rows: (readonly string[])[] = [];
  let parents: readonly string[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  for (const each of dependents) {
    const { depth, resource } = each;
    parents = [...parents.slice(0, depth - 1), nameOf(each)];
    if (depth <= hiddenBelow) hiddenBelow = Number.POSITIVE_INFINITY;
    const group = `${parents.slice(0, -1).join(' ')} ${resource}`;
    const count = (shown.get(group) ?? 0) + 1;
    shown.set(group, count);
    if (count > mostShown && hiddenBelow === Number.POSITIVE_INFINITY) hiddenBelow = depth;
    if (depth >= hiddenBelow) hidden.set(resource, (hidden.get(resource) ?? 0) + 1);
    else rows.push([`${'  '.repeat(depth - 1)}${nameOf(each)}`, tie(each), state(each, now)]);
  }
  const others = [...hidden].map(([resource, count]) => `  … and ${count} more ${resource}\n`);
  return [
    going ? '\nWhat belongs to it:\n' : '\nWith it would go:\n',
    indented(rows),
    ...others,
    ...(more > 0 ? [`  … and ${more} more\n`] : []),
  ];
}

function contentRows({ resource, count, objects }: Content, now: number): (readonly string[])[] {
  const waiting = objects.filter(({ deletionTimestamp, blockers }) => deletionTimestamp !== '' && blockers.length > 0);
  return [[`${count} ${resource}`, ''], ...waiting.map((each) => [`  ${nameOf(each)}`, state(each, now)])];
}

function tie({ blocksOwner, keptBy }: Dependent): string {
  if (keptBy !== '') return `stays: ${keptBy} owns it, too`;
  return blocksOwner ? 'blocks its owner in foreground deletion' : '';
}

function state({ deletionTimestamp, blockers }: Dependent, now: number): string {
  if (deletionTimestamp === '') return '';
  const held = blockers.map(({ type, finalizer, worker, workerState }) => {
    const what = type === Blocker_Type.GRACE_PERIOD ? 'its grace period' : `the finalizer ${finalizer}`;
    return `${what} (${worker === '' ? '' : `${worker}: `}${workerState})`;
  });
  const waits = held.length === 0 ? '' : `, waits for ${held.join(' and ')}`;
  return `going for ${age(deletionTimestamp, now)}${waits}`;
}

function nameOf({ resource, name }: Pick<Dependent, 'resource' | 'name'>): string {
  const kind = builtinKinds.byResource(resource);
  return kind === undefined ? `${resource}/${name}` : objectName(kind, name);
}

function indented(rows: readonly (readonly string[])[]): string {
  return formatTable(rows).replaceAll(/^(?=.)/gm, '  ');
}
