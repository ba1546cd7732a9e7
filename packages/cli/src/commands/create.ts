import { deployment, type KindDefinition, namespace } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { Deployment, Namespace } from '@navarch/proto';
import { Command, Option } from 'commander';
import { type FileOptions, readManifests } from '../manifests.ts';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  filenameOption,
  recursiveOption,
  strictnessOf,
  validateOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { checkNamespace } from './apply.ts';

interface CreateOptions extends Partial<FileOptions>, WriteFlags {
  readonly validate?: string;
}

interface DeploymentOptions extends WriteFlags {
  readonly image: string;
  readonly replicas: number;
  readonly port?: number;
}

export const createCommand = (run: Runner) => {
  const command = new Command('create')
    .description('Make new objects; an object that is there already is an error')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .addOption(dryRunOption())
    .addOption(validateOption())
    .addOption(fieldManagerOption())
    .action(run(createFromFiles));
  command
    .command('namespace')
    .alias('ns')
    .argument('<name>')
    .description('Make a namespace')
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .action(
      run((session, name: string, flags: WriteFlags) =>
        create(session, namespace, Namespace.create({ metadata: { name } }), flags),
      ),
    );
  command
    .command('deployment')
    .alias('deploy')
    .argument('<name>')
    .description('Make a Deployment of one image')
    .addOption(new Option('--image <image>', 'what to run').makeOptionMandatory())
    .addOption(new Option('-r, --replicas <count>', 'how many Pods').argParser(wholeNumber).default(1))
    .addOption(new Option('--port <port>', 'the port that the image listens on').argParser(wholeNumber))
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .action(run(createDeployment));
  return command;
};

async function createFromFiles(session: Session, options: CreateOptions): Promise<void> {
  const { filename, recursive = false } = options;
  if (filename === undefined) throw new UserError('say what: -f FILE, namespace NAME or deployment NAME --image=IMAGE');
  const manifests = await readManifests(session, { filename, recursive }, strictnessOf(options));
  for (const manifest of manifests) checkNamespace(manifest, session);
  for (const { kind, object } of manifests) await create(session, kind, object, options);
}

function createDeployment(session: Session, name: string, options: DeploymentOptions): Promise<void> {
  const { image, replicas, port } = options;
  const labels = { app: name };
  const container = {
    name: imageName(image),
    image,
    ports: port === undefined ? [] : [{ containerPort: port }],
  };
  const object = Deployment.create({
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
  return create(session, deployment, object, options);
}

async function create<T extends KubeObject>(
  session: Session,
  kind: KindDefinition<T>,
  object: T,
  flags: WriteFlags,
): Promise<void> {
  const metadata = object.metadata && { ...object.metadata };
  if (metadata !== undefined && metadata.namespace === '') metadata.namespace = namespaceOf(session, kind);
  const { metadata: made } = await session.client().create(kind, { ...object, metadata }, writeOptions(flags));
  session.print(`${objectName(kind, made?.name ?? '')} created${dryRunNote(flags)}\n`);
}

/** registry.example.com/team/app:1.2 is app. */
function imageName(image: string): string {
  return (image.split('/').at(-1) ?? image).replace(/[:@].*$/, '').replaceAll(/[^a-z0-9-]/g, '-');
}
