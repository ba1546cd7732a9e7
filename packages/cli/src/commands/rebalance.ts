import { lease as leaseKind, movesLease, movesOf, type RecordedMove, withMoves } from '@navarch/kinds';
import { age, formatTable, isApiError, type Live } from '@navarch/machinery';
import type { Lease } from '@navarch/proto';
import { Command, Option } from 'commander';
import { wholeNumber } from '../options.ts';
import { objectText } from '../print/objects.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface ListOptions {
  readonly output?: 'yaml' | 'json';
  readonly headers: boolean;
}

interface UndoOptions {
  readonly last?: boolean;
}

/** Against the scheduler, which writes to the same record. */
const attempts = 10;

/** What a state is called, where that is more than its name. */
const stateTexts: Readonly<Record<RecordedMove['state'], string>> = {
  moving: 'moving',
  moved: 'moved',
  asked: 'to be undone',
  undoing: 'being undone',
  undone: 'undone',
  kept: 'not undone',
};

export const rebalanceCommand = (run: Runner) => {
  const command = new Command('rebalance')
    .description('Show the Pods that the scheduler moved, and bring them back')
    .addHelpText('after', '\nExamples:\n  navctl rebalance list\n  navctl rebalance undo --last');
  command
    .command('list')
    .alias('status')
    .description('Show what was moved, from where to where and why, and what became of it; the latest last')
    .addOption(new Option('-o, --output <format>', 'for programs').choices(['yaml', 'json']))
    .option('--no-headers', 'no titles above the columns')
    .addHelpText('after', '\nExample:\n  navctl rebalance list')
    .action(run(list));
  command
    .command('undo')
    .description(
      'Bring the Pod in the place of one that was moved back to its old node, if it fits there and budgets let it go',
    )
    .argument('[move]', 'its number in `navctl rebalance list`', wholeNumber)
    .option('--last', 'the latest move that is not undone')
    .addHelpText('after', '\nExamples:\n  navctl rebalance undo 17\n  navctl rebalance undo --last')
    .action(run(undo));
  return command;
};

async function list(session: Session, { output, headers }: ListOptions): Promise<void> {
  const moves = movesOf(await read(session));
  if (output !== undefined) {
    const items = moves.map(({ undoing: _undoing, ...move }) => ({ ...move }));
    session.print(objectText(output, { items }));
    return;
  }
  if (moves.length === 0) return session.warn('Nothing was moved.\n');
  const titles = ['MOVE', 'NAMESPACE', 'OWNER', 'POD', 'FROM', 'TO', 'AGE', 'STATE', 'WHY'];
  const rows = moves.map((move) => [
    String(move.id),
    move.namespace,
    move.owner,
    move.pod,
    move.from,
    move.to,
    age(move.at, session.io.now()),
    stateTexts[move.state],
    `${move.goal}: ${move.reason}${move.why === undefined ? '' : `; not undone: ${move.why}`}`,
  ]);
  session.print(formatTable(headers ? [titles, ...rows] : rows));
}

async function undo(session: Session, id: number | undefined, { last = false }: UndoOptions): Promise<void> {
  if ((id === undefined) !== last) throw new UserError('undo which move? Give its number, or --last');
  for (let attempt = 1; ; attempt++) {
    const lease = await read(session);
    const moves = movesOf(lease);
    const move = chosen(moves, id);
    const now = new Date(session.io.now()).toISOString();
    const { why: _why, ...rest } = move;
    const asked: RecordedMove = { ...rest, state: 'asked', since: now };
    try {
      await session.client().update(
        leaseKind,
        withMoves(
          lease,
          moves.map((each) => (each === move ? asked : each)),
        ),
      );
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt === attempts) throw error;
      continue;
    }
    session.print(
      `move ${move.id} is to be undone: a Pod of ${move.owner} goes back from ${move.to} to ${move.from}. ` +
        'See what comes of it with `navctl rebalance list`.\n',
    );
    return;
  }
}

/** The move that can be undone. Throws UserError. */
function chosen(moves: readonly RecordedMove[], id: number | undefined): RecordedMove {
  const isOpen = ({ state }: RecordedMove) => state === 'moved' || state === 'kept';
  if (id === undefined) {
    const last = moves.findLast(({ state }) => state === 'moved');
    if (last === undefined) throw new UserError('there is no move that could be undone: see `navctl rebalance list`');
    return last;
  }
  const move = moves.find((each) => each.id === id);
  if (move === undefined) throw new UserError(`there is no move ${id}: see \`navctl rebalance list\``);
  if (!isOpen(move)) throw new UserError(`move ${id} can't be undone now: it is ${stateTexts[move.state]}`);
  return move;
}

async function read(session: Session): Promise<Live<Lease> | undefined> {
  try {
    return await session.client().get(leaseKind, movesLease);
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}
