import type { PortForward } from '@navarch/client';
import { service as serviceKind } from '@navarch/kinds';
import { isApiError, type Live } from '@navarch/machinery';
import type { Pod, Service } from '@navarch/proto';
import { Command, Option } from 'commander';
import { choosePod } from '../choose-pod.ts';
import { listen, type Listening } from '../forward/listen.ts';
import { type PortPair, readPorts } from '../forward/ports.ts';
import { durationMs } from '../options.ts';
import { kindNamed } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { untilContainerRuns } from '../until-container-runs.ts';

interface PortForwardFlags {
  readonly address: string;
  readonly podRunningTimeout: number;
}

export const portForwardCommand = (run: Runner) =>
  new Command('port-forward')
    .description('Reach ports of a Pod from here')
    .argument('<target>', 'a Pod, or TYPE/NAME: deploy/web, svc/web')
    .argument('<ports...>', 'LOCAL:REMOTE, REMOTE for the same port here, :REMOTE for any that is free here')
    .addOption(
      new Option(
        '--address <addresses>',
        'where to listen, with commas between; localhost is both of its addresses',
      ).default('localhost'),
    )
    .addOption(
      new Option('--pod-running-timeout <duration>', 'how long to wait until the Pod runs')
        .argParser(durationMs)
        .default(60_000, '1m'),
    )
    .addHelpText(
      'after',
      [
        '\nOf several Pods one is chosen, and kept: when it ends, so does this.',
        '\nExamples:',
        '  navctl port-forward web 8080:80',
        '  navctl port-forward svc/web :http',
        '  navctl port-forward --address=0.0.0.0 deploy/web 8080:80 9090',
      ].join('\n'),
    )
    .action(run(portForward));

async function portForward(
  session: Session,
  target: string,
  ports: readonly string[],
  flags: PortForwardFlags,
): Promise<number> {
  const chosen = await choosePod(session, target);
  const service = await serviceOf(session, target);
  const pairs = ports.map((text) => readPorts(text, chosen, service));
  const { namespace, name } = (await running(session, chosen, flags)).metadata;
  const forward = await session.client().pods.portForward({ namespace, name }, session.io.signal);
  const listening: Listening[] = [];
  try {
    const addresses = flags.address.split(',').map((address) => address.trim());
    for (const pair of pairs) listening.push(await open(session, forward, addresses, pair));
    await forward.ended;
  } catch (error) {
    if (session.io.signal.aborted) return 0;
    if (isApiError(error, 'Unavailable')) throw new UserError(`lost connection to pod: ${error.message}`);
    throw error;
  } finally {
    for (const each of listening) each.close();
    forward.close();
  }
  return 0;
}

async function running(session: Session, pod: Live<Pod>, flags: PortForwardFlags): Promise<Live<Pod>> {
  const { namespace, name } = pod.metadata;
  if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') {
    throw new UserError(`unable to forward port because pod is not running. Current status=${pod.status.phase}`);
  }
  const container = pod.spec.containers[0]?.name ?? '';
  return await untilContainerRuns(session, { namespace, name, container }, flags.podRunningTimeout);
}

async function serviceOf(session: Session, target: string): Promise<Live<Service> | undefined> {
  const slash = target.indexOf('/');
  if (slash < 0 || (await kindNamed(session, target.slice(0, slash))).case !== serviceKind.case) return undefined;
  return await session.client().get(serviceKind, { namespace: session.namespace, name: target.slice(slash + 1) });
}

async function open(
  session: Session,
  forward: PortForward,
  addresses: readonly string[],
  { local, remote }: PortPair,
): Promise<Listening> {
  const opened = await listen(addresses, local, (socket) => {
    const port = socket.localPort ?? local;
    session.print(`Handling connection for ${port}\n`);
    forward.carry(socket, remote).catch((error: Error) => {
      // Somebody here who hung up is no news.
      if (isApiError(error) && !session.io.signal.aborted) {
        session.warn(`an error occurred forwarding ${port} -> ${remote}: ${error.message}\n`);
      }
    });
  });
  for (const address of opened.addresses) session.print(`Forwarding from ${address} -> ${remote}\n`);
  return opened;
}
