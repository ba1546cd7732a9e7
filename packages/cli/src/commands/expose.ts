import type { JsonObject, KubeObject } from '@navarch/machinery';
import { manifest, type KindDefinition } from '@navarch/kinds';
import { Command, Option } from 'commander';
import { chooseObjects, type Chosen, forEachOf } from '../choose-objects.ts';
import { type NewFlags, sendNew } from '../generate/send-new.ts';
import { type FileOptions } from '../manifests.ts';
import {
  dryRunOption,
  fieldManagerOption,
  filenameOption,
  outputOption,
  recursiveOption,
  wholeNumber,
} from '../options.ts';
import { readPairs } from '../pairs.ts';
import { objectName } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { podSpecOf } from '../set/pod-spec.ts';

interface ExposeFlags extends Partial<FileOptions>, NewFlags {
  readonly name?: string;
  readonly port?: number;
  readonly targetPort?: string;
  readonly protocol?: string;
  readonly type?: string;
  readonly selector?: string;
  readonly labels?: string;
  readonly clusterIp?: string;
  readonly externalName?: string;
  readonly sessionAffinity?: string;
}

export const exposeCommand = (run: Runner) =>
  new Command('expose')
    .description('Make a Service for the Pods of a workload, of a Pod, or of another Service')
    .argument('[target...]', 'TYPE NAME or TYPE/NAME')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .addOption(
      new Option('--port <port>', "the Service's port (default: what the containers say)").argParser(wholeNumber),
    )
    .addOption(new Option('--target-port <port>', "the Pods' port, by number or name (default: --port)"))
    .addOption(new Option('--protocol <protocol>', 'the transport protocol').choices(['TCP', 'UDP']))
    .addOption(new Option('--name <name>', "the Service's name (default: that of what is exposed)"))
    .addOption(
      new Option('--type <type>', 'where it is reached (default: ClusterIP)').choices([
        'ClusterIP',
        'NodePort',
        'LoadBalancer',
      ]),
    )
    .addOption(new Option('--selector <labels>', 'which Pods: app=web,tier=front (default: those of what is exposed)'))
    .addOption(new Option('-l, --labels <labels>', "the Service's labels (default: those of what is exposed)"))
    .addOption(new Option('--cluster-ip <address>', 'its address, or None for a headless Service'))
    .addOption(
      new Option('--session-affinity <how>', 'whether one client stays with one Pod').choices(['None', 'ClientIP']),
    )
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      '\nExamples:\n  navctl expose deploy/web --port=80 --target-port=8080\n  navctl expose deploy web --type=NodePort --name=web-outside\n  navctl expose pod/db --port=5432 --dry-run=client -o yaml',
    )
    .action(
      run(async (session, args: readonly string[], flags: ExposeFlags) => {
        const chosen = await chooseObjects(session, args, flags);
        if (chosen.length > 1 && flags.name !== undefined) throw new UserError('--name goes with one object only');
        return forEachOf(session, chosen, (one) => expose(session, one, flags));
      }),
    );

async function expose(session: Session, { kind, namespace, name }: Chosen, flags: ExposeFlags): Promise<void> {
  const object = await session.client().get(kind, { namespace, name });
  const selector =
    flags.selector === undefined ? selectorOf(kind, object) : readPairs('--selector', [flags.selector], 'app=web');
  const labels =
    flags.labels === undefined ? object.metadata?.labels : readPairs('--labels', [flags.labels], 'app=web');
  const { type, clusterIp: clusterIP, sessionAffinity } = flags;
  const spec = {
    ...(type !== undefined && { type }),
    ...(clusterIP !== undefined && { clusterIP }),
    ...(sessionAffinity !== undefined && { sessionAffinity }),
    selector,
    ports: servicePorts(portsOf(kind, object), flags, objectName(kind, name)),
  };
  const metadata = {
    name: flags.name ?? name,
    labels: { ...labels },
    ...(namespace !== session.namespace && { namespace }),
  };
  await sendNew(session, { apiVersion: 'v1', kind: 'Service', metadata, spec }, flags, 'exposed');
}

interface Port {
  readonly port: number;
  readonly protocol: string;
}

/** What the Pods of a workload have in common, or a Pod alone has. Throws UserError where a Service can't say it. */
function selectorOf(kind: KindDefinition, object: KubeObject): Record<string, string> {
  const name = objectName(kind, object.metadata?.name ?? '');
  const { spec = {} } = manifest(kind, object) as { spec?: { selector?: Record<string, unknown> } }; // as in the contract
  if (kind.kind === 'Pod') {
    const labels = object.metadata?.labels ?? {};
    if (Object.keys(labels).length > 0) return { ...labels };
    throw new UserError(`${name} has no labels, by which a Service could choose it; give it some, or use --selector`);
  }
  const { matchLabels, matchExpressions } = (spec.selector ?? {}) as {
    matchLabels?: Record<string, string>;
    matchExpressions?: unknown[];
  };
  if (matchExpressions !== undefined) {
    throw new UserError(`${name} chooses its Pods by expressions, which a Service can't; use --selector`);
  }
  const selector = kind.kind === 'Service' ? (spec.selector as Record<string, string> | undefined) : matchLabels;
  if (selector !== undefined && Object.keys(selector).length > 0) return { ...selector };
  throw new UserError(`${name} chooses no Pods that could be exposed; workloads, Pods and Services do`);
}

/** The ports that the containers say they listen on, or a Service has. */
function portsOf(kind: KindDefinition, object: KubeObject): readonly Port[] {
  if (kind.kind === 'Service') {
    const { spec } = manifest(kind, object) as { spec?: { ports?: Partial<Port>[] } }; // as in service.proto
    return (spec?.ports ?? []).map(({ port = 0, protocol = 'TCP' }) => ({ port, protocol }));
  }
  return podSpecOf(kind, object).containers.flatMap(({ json, isInit }) => {
    const { ports = [] } = json as { ports?: { containerPort: number; protocol?: string }[] }; // as in pod.proto
    return isInit ? [] : ports.map(({ containerPort: port, protocol = 'TCP' }) => ({ port, protocol }));
  });
}

function servicePorts(found: readonly Port[], flags: ExposeFlags, name: string): JsonObject[] {
  const { port, protocol, targetPort } = flags;
  const wanted: readonly Port[] =
    port === undefined ? found : [{ port, protocol: found.find((each) => each.port === port)?.protocol ?? 'TCP' }];
  if (wanted.length === 0) throw new UserError(`${name} says of no port that it listens there; say which: --port=80`);
  // Containers of one Pod may say it of the same port.
  const unique = [...new Map(wanted.map((each) => [`${each.port}/${each.protocol}`, each])).values()];
  return unique.map((each, index) => ({
    ...(unique.length > 1 && { name: `port-${index + 1}` }),
    port: each.port,
    protocol: protocol ?? each.protocol,
    targetPort: readTarget(targetPort) ?? each.port,
  }));
}

function readTarget(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}
