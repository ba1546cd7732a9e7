import { isUtf8 } from 'node:buffer';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { JsonObject } from '@navarch/machinery';
import { Option } from 'commander';
import { collect } from '../options.ts';
import { UserError } from '../session.ts';
import { type Maker, maker } from './maker.ts';
import { readBytes, readSettings, type SettingsFlags } from './settings-files.ts';

const settingsOptions = () => [
  new Option('--from-file <path>', 'a file whose name is the key, KEY=FILE, or a folder of such files').argParser(
    collect,
  ),
  new Option('--from-literal <pair>', 'KEY=VALUE').argParser(collect),
  new Option('--from-env-file <path>', 'a file of lines KEY=VALUE').argParser(collect),
];

const configMap = maker<SettingsFlags>({
  path: ['configmap'],
  aliases: ['cm'],
  apiVersion: 'v1',
  kind: 'ConfigMap',
  description: 'Make a ConfigMap of files and values',
  options: settingsOptions,
  examples: [
    'configmap settings --from-literal=level=info --from-literal=color=blue',
    'configmap settings --from-file=app.conf --from-file=extra=other.conf',
    'configmap settings --from-env-file=settings.env',
  ],
  make: async (_name, flags, { session }) => {
    const data: JsonObject = {};
    const binaryData: JsonObject = {};
    for (const [key, bytes] of await readSettings(flags, session.io)) {
      if (isUtf8(bytes)) data[key] = bytes.toString('utf8');
      else binaryData[key] = bytes.toString('base64');
    }
    return { data, binaryData };
  },
});

const generic = maker<SettingsFlags & { readonly type?: string }>({
  path: ['secret', 'generic'],
  apiVersion: 'v1',
  kind: 'Secret',
  description: 'Make a Secret of files and values',
  options: () => [...settingsOptions(), new Option('--type <type>', 'what the Secret is for (default: Opaque)')],
  examples: [
    'secret generic db --from-literal=password=secret',
    'secret generic keys --from-file=id=~/.ssh/id_ed25519',
  ],
  make: async (_name, { type, ...flags }, { session }) => ({
    ...(type !== undefined && { type }),
    data: encoded(await readSettings(flags, session.io)),
  }),
});

const tls = maker<{ readonly cert: string; readonly key: string }>({
  path: ['secret', 'tls'],
  apiVersion: 'v1',
  kind: 'Secret',
  description: 'Make a Secret of a certificate and its key',
  options: () => [
    new Option('--cert <path>', 'the certificate, as PEM').makeOptionMandatory(),
    new Option('--key <path>', 'its private key, as PEM').makeOptionMandatory(),
  ],
  examples: ['secret tls web --cert=web.crt --key=web.key'],
  make: async (_name, { cert, key }) => {
    const pair = new Map([
      ['tls.crt', await readBytes(cert)],
      ['tls.key', await readBytes(key)],
    ]);
    checkPair(cert, key, pair);
    return { type: 'kubernetes.io/tls', data: encoded(pair) };
  },
});

interface RegistryFlags {
  readonly dockerServer: string;
  readonly dockerUsername?: string;
  readonly dockerPassword?: string;
  readonly dockerEmail?: string;
  readonly fromFile?: readonly string[];
}

const registry = maker<RegistryFlags>({
  path: ['secret', 'docker-registry'],
  apiVersion: 'v1',
  kind: 'Secret',
  description: 'Make a Secret with which nodes pull images from a registry',
  options: () => [
    new Option('--docker-server <address>', 'the registry').default('https://index.docker.io/v1/'),
    new Option('--docker-username <name>', 'who pulls'),
    new Option('--docker-password <password>', 'with which password'),
    new Option('--docker-email <address>', "the user's mail address"),
    new Option('--from-file <path>', 'or what `docker login` wrote: .dockerconfigjson=~/.docker/config.json').argParser(
      collect,
    ),
  ],
  examples: [
    'secret docker-registry regcred --docker-server=registry.example.com --docker-username=me --docker-password=secret',
    'secret docker-registry regcred --from-file=.dockerconfigjson=config.json',
  ],
  make: async (_name, flags, { session }) => ({
    type: 'kubernetes.io/dockerconfigjson',
    data: encoded(new Map([[dockerKey, await dockerConfig(flags, session.io)]])),
  }),
});

const dockerKey = '.dockerconfigjson';

async function dockerConfig(flags: RegistryFlags, io: Parameters<typeof readSettings>[1]): Promise<Buffer> {
  const { fromFile, dockerServer, dockerUsername: username, dockerPassword: password, dockerEmail: email } = flags;
  if (fromFile !== undefined) {
    const files = await readSettings({ fromFile }, io);
    const file = files.get(dockerKey);
    if (file === undefined || files.size > 1) throw new UserError(`--from-file must be ${dockerKey}=PATH`);
    return file;
  }
  if (username === undefined || password === undefined) {
    throw new UserError('say who pulls: --docker-username and --docker-password, or --from-file');
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const entry = { username, password, ...(email !== undefined && { email }), auth };
  return Buffer.from(JSON.stringify({ auths: { [dockerServer]: entry } }));
}

/** Throws UserError when the certificate is not of this key. What they hold is not told. */
function checkPair(cert: string, key: string, pair: ReadonlyMap<string, Buffer>): void {
  const certificate = parsed(cert, 'certificate', () => new X509Certificate(pair.get('tls.crt') ?? ''));
  const privateKey = parsed(key, 'private key', () => createPrivateKey(pair.get('tls.key') ?? ''));
  if (!certificate.checkPrivateKey(privateKey)) throw new UserError(`the certificate ${cert} is not of the key ${key}`);
}

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    // The parser's own words are about ASN.1.
    throw new UserError(`${path} is no ${what} as PEM`);
  }
}

function encoded(data: ReadonlyMap<string, Buffer>): JsonObject {
  return Object.fromEntries([...data].map(([key, bytes]) => [key, bytes.toString('base64')]));
}

export const settingsMakers: readonly Maker[] = [configMap, generic, tls, registry];
