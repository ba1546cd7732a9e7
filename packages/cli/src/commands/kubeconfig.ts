import { generateKeyPairSync } from 'node:crypto';
import { UserInfo } from '@navarch/proto';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { collect, durationMs } from '../options.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

interface KubeconfigFlags {
  readonly user: string;
  readonly group?: readonly string[];
  readonly gateway?: string;
  readonly validFor: number;
}

const usualGateway = 'https://127.0.0.1:7443';

export const kubeconfigCommand = (run: Runner) =>
  new Command('kubeconfig')
    .description('Print a kubeconfig for kubectl and other clients, with a certificate made for it: a secret')
    .addOption(new Option('--user <name>', 'who has it').default('navarch-admin'))
    .addOption(
      new Option(
        '--group <name>',
        'a group of theirs; may be given several times (default: system:masters without --user)',
      ).argParser(collect),
    )
    .addOption(new Option('--gateway <url>', `where the gateway is (default: NAVARCH_GATEWAY, or ${usualGateway})`))
    .addOption(
      new Option('--valid-for <duration>', 'how long the certificate holds')
        .argParser(durationMs)
        .default(365 * 24 * 3600 * 1000, '8760h'),
    )
    .addHelpText('after', examples)
    .action(run(kubeconfig));

const examples = `
Nobody can take a certificate back: give short ones (--valid-for 24h) to people, and rights to them by roles.

Examples:
  navctl kubeconfig > ~/.kube/config
  navctl kubeconfig --user jane --group developers --valid-for 720h > jane.yaml`;

async function kubeconfig(session: Session, flags: KubeconfigFlags): Promise<void> {
  const isAdmin = flags.user === 'navarch-admin' && flags.group === undefined;
  const groups = isAdmin ? ['system:masters'] : [...(flags.group ?? [])];
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { certificate, authority } = await session.client().access.issueCertificate({
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    of: { $case: 'user', value: UserInfo.fromPartial({ username: flags.user, groups }) },
    validSeconds: BigInt(Math.ceil(flags.validFor / 1000)),
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const server = flags.gateway ?? session.io.env['NAVARCH_GATEWAY'] ?? usualGateway;
  const context = { cluster: 'navarch', user: flags.user };
  const { namespace, namespaceGiven } = session;
  session.print(
    stringify(
      {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'navarch', cluster: { server, 'certificate-authority-data': base64(authority) } }],
        users: [
          {
            name: flags.user,
            user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) },
          },
        ],
        contexts: [{ name: 'navarch', context: { ...context, ...(namespaceGiven && { namespace }) } }],
        'current-context': 'navarch',
      },
      { lineWidth: 0 },
    ),
  );
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
