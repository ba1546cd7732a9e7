import { builtinKinds, manifest } from '@navarch/kinds';
import type { JsonObject } from '@navarch/machinery';
import { Option } from 'commander';
import { collect, wholeNumber } from '../options.ts';
import { UserError } from '../session.ts';
import { containersOf } from './containers.ts';
import { type MakeContext, type Maker, maker } from './maker.ts';

const imageOption = () => new Option('--image <image>', 'what to run').argParser(collect);

interface DeploymentFlags {
  readonly image?: readonly string[];
  readonly replicas: number;
  readonly port?: number;
}

const deployment = maker<DeploymentFlags>({
  path: ['deployment'],
  aliases: ['deploy', 'dep'],
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  description: 'Make a Deployment: equal Pods that are kept running',
  options: () => [
    imageOption(),
    new Option('-r, --replicas <count>', 'how many Pods').argParser(wholeNumber).default(1),
    new Option('--port <port>', 'the port that the image listens on').argParser(wholeNumber),
  ],
  examples: [
    'deployment web --image=nginx:1.27 --replicas=3 --port=80',
    'deployment sleeper --image=busybox -- sleep 1d',
  ],
  takesCommand: true,
  make: (name, { image, replicas, port }, { command }) => {
    const images = needImages(image);
    if (images.length > 1 && command.length > 0) throw new UserError('a command goes with one image only');
    const labels = { app: name };
    const [first, ...others] = containersOf(images, command.length > 0 ? { command: [...command] } : {});
    const listens = port !== undefined && { ports: [{ containerPort: port }] };
    const template = { metadata: { labels }, spec: { containers: [{ ...first, ...listens }, ...others] } };
    return { metadata: { labels }, spec: { replicas, selector: { matchLabels: labels }, template } };
  },
});

interface JobFlags {
  readonly image?: readonly string[];
  readonly from?: string;
}

const job = maker<JobFlags>({
  path: ['job'],
  apiVersion: 'batch/v1',
  kind: 'Job',
  description: 'Make a Job: Pods that run to their end. Of an image, or as a CronJob would',
  options: () => [imageOption(), new Option('--from <source>', 'run now what cronjob/NAME runs at its times')],
  examples: ['job hello --image=busybox -- echo hello', 'job now --from=cronjob/backup'],
  takesCommand: true,
  make: async (name, { image, from }, context) => {
    if (from === undefined) return { spec: jobSpec(name, needImages(image), 'Never', context.command) };
    if (image !== undefined || context.command.length > 0) {
      throw new UserError('--from brings image and command with it; give one or the other');
    }
    return await jobFrom(from, context);
  },
});

interface CronJobFlags extends JobFlags {
  readonly schedule: string;
  readonly restart: string;
}

const cronJob = maker<CronJobFlags>({
  path: ['cronjob'],
  aliases: ['cj'],
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  description: 'Make a CronJob: Jobs at certain times',
  options: () => [
    imageOption(),
    new Option('--schedule <times>', 'when, as in crontab: "*/5 * * * *"').makeOptionMandatory(),
    new Option('--restart <policy>', 'when an ended container is started again')
      .choices(['OnFailure', 'Never'])
      .default('OnFailure'),
  ],
  examples: ['cronjob backup --image=busybox --schedule="0 3 * * *" -- sh -c "echo saved"'],
  takesCommand: true,
  make: (name, { image, schedule, restart }, { command }) => ({
    spec: { schedule, jobTemplate: { metadata: { name }, spec: jobSpec(name, needImages(image), restart, command) } },
  }),
});

function jobSpec(
  name: string,
  images: readonly string[],
  restartPolicy: string,
  command: readonly string[],
): JsonObject {
  if (images.length > 1) throw new UserError('one image only');
  const [container] = containersOf(images, command.length > 0 ? { command: [...command] } : {});
  return { template: { spec: { restartPolicy, containers: [{ ...container, name }] } } };
}

/** What a CronJob makes at its times; it belongs to the CronJob, as those do. */
async function jobFrom(from: string, { session }: MakeContext): Promise<JsonObject> {
  const [type = '', name = '', ...more] = from.split('/');
  const kind = builtinKinds.byResource(type);
  if (kind?.kind !== 'CronJob' || name === '' || more.length > 0) {
    throw new UserError(`--from must be cronjob/NAME, not "${from}"`);
  }
  const source = await session.client().get(kind, { namespace: session.namespace, name });
  const { jobTemplate } = (manifest(kind, source)['spec'] ?? {}) as { jobTemplate?: JsonObject }; // a message in the contract
  const { metadata = {}, spec = {} } = (jobTemplate ?? {}) as { metadata?: JsonObject; spec?: JsonObject };
  const { labels = {}, annotations } = metadata as { labels?: JsonObject; annotations?: JsonObject };
  const owner = {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    name,
    uid: source.metadata?.uid ?? '',
    controller: true,
  };
  return {
    metadata: {
      labels,
      annotations: { ...annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [owner],
    },
    spec,
  };
}

function needImages(images: readonly string[] | undefined): readonly string[] {
  if (images === undefined) throw new UserError('say what to run: --image=IMAGE');
  return images;
}

export const workloadMakers: readonly Maker[] = [deployment, job, cronJob];
