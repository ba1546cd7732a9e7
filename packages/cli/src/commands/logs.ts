import { type Live } from '@navarch/machinery';
import type { LogsRequest, Pod } from '@navarch/proto';
import { Command, Option } from 'commander';
import { chooseContainer, choosePod, podsBySelector } from '../choose-pod.ts';
import { containerOption, durationMs, selectorOption, wholeNumber } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface LogsOptions {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly follow?: boolean;
  readonly tail?: number;
  readonly since?: number;
  readonly sinceTime?: string;
  readonly limitBytes?: number;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly selector?: string;
  readonly prefix?: boolean;
}

/** With -l, as kubectl: few lines of each, and not too many streams at once. */
const selectedTail = 10;
const maxStreams = 20;

export const logsCommand = (run: Runner) =>
  new Command('logs')
    .description('Show what a container wrote')
    .argument('[target]', 'a Pod, or TYPE/NAME')
    .argument('[container]')
    .addOption(containerOption())
    .option('--all-containers', 'of all containers of the Pod')
    .option('-f, --follow', 'go on as it writes more')
    .addOption(new Option('--tail <lines>', 'only the newest lines; -1 for all').argParser(wholeNumber))
    .addOption(new Option('--since <duration>', 'only what is not older: 30s, 5m').argParser(durationMs))
    .addOption(
      new Option('--since-time <time>', 'only what was written then or later: 2026-01-31T12:00:00Z').conflicts('since'),
    )
    .addOption(new Option('--limit-bytes <count>', 'no more than this').argParser(wholeNumber))
    .option('-p, --previous', 'of the container before its last restart')
    .option('--timestamps', 'the time in front of each line')
    .addOption(selectorOption())
    .option('--prefix', 'Pod and container in front of each line')
    .addHelpText('after', '\nExamples:\n  navctl logs -f deploy/web\n  navctl logs web -c proxy --tail=20')
    .action(run(logs));

async function logs(
  session: Session,
  target: string | undefined,
  container: string | undefined,
  options: LogsOptions,
): Promise<number> {
  const streams = await findStreams(session, target, { ...options, ...(container === undefined ? {} : { container }) });
  if (streams.length > maxStreams) {
    throw new UserError(
      `${streams.length} containers are too many to show at once (at most ${maxStreams}); select fewer`,
    );
  }
  if (options.follow === true) await Promise.all(streams.map((stream) => show(session, stream, options)));
  else for (const stream of streams) await show(session, stream, options);
  return 0;
}

type Stream = Pick<LogsRequest, 'namespace' | 'name' | 'container'>;

async function findStreams(
  session: Session,
  target: string | undefined,
  options: LogsOptions,
): Promise<readonly Stream[]> {
  if (options.selector === undefined) {
    if (target === undefined) throw new UserError('say of which Pod: a name, TYPE/NAME, or -l');
    return streamsOf(session, await choosePod(session, target), options);
  }
  if (target !== undefined) throw new UserError('a name and -l exclude each other');
  const pods = await podsBySelector(session, options.selector);
  if (pods.length === 0) session.warn(`No resources found in ${session.namespace} namespace.\n`);
  return pods.flatMap((pod) => streamsOf(session, pod, options));
}

function streamsOf(session: Session, pod: Live<Pod>, { container, allContainers }: LogsOptions): readonly Stream[] {
  const { namespace, name } = pod.metadata;
  const all = [...pod.spec.initContainers, ...pod.spec.containers, ...pod.spec.ephemeralContainers].map(
    (each) => each.name,
  );
  const names = allContainers === true ? all : [chooseContainer(session, pod, container)];
  return names.map((each) => ({ namespace, name, container: each }));
}

async function show(session: Session, stream: Stream, options: LogsOptions): Promise<void> {
  const tail = options.tail ?? (options.selector === undefined ? -1 : selectedTail);
  const request = {
    ...stream,
    follow: options.follow === true,
    timestamps: options.timestamps === true,
    previous: options.previous === true,
    ...(tail < 0 ? {} : { tailLines: tail }),
    ...(options.since === undefined ? {} : { sinceSeconds: Math.ceil(options.since / 1000) }),
    ...(options.sinceTime === undefined ? {} : { sinceTime: options.sinceTime }),
    ...(options.limitBytes === undefined ? {} : { limitBytes: BigInt(options.limitBytes) }),
  };
  const prefix = options.prefix === true ? `[pod/${stream.name}/${stream.container}] ` : '';
  const write = prefix === '' ? (data: Uint8Array) => data : linePrefixer(prefix);
  try {
    for await (const data of session.client().pods.logs(request, session.io.signal)) {
      // The pipe's reader sets the pace.
      if (!session.io.stdout.write(write(data))) await drained(session);
    }
  } catch (error) {
    if (!session.io.signal.aborted) throw error;
  }
}

function drained({ io: { stdout } }: Session): Promise<void> {
  return new Promise((resolve) => stdout.once('drain', resolve));
}

/** Puts `prefix` before each line, across the pieces that lines come in. */
function linePrefixer(prefix: string): (data: Uint8Array) => string {
  const decoder = new TextDecoder();
  let atStart = true;
  return (data) => {
    const text = decoder.decode(data, { stream: true });
    const out = (atStart && text !== '' ? prefix : '') + text.replaceAll(/\n(?!$)/g, `\n${prefix}`);
    if (text !== '') atStart = text.endsWith('\n');
    return out;
  };
}
