import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

export interface TlsFiles {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const validForMs = 365 * 24 * 3600 * 1000;

/** The certificate and key in `folder`; made, self-signed and for `hosts`, when they are not there. Keys are for the owner alone. */
export async function tlsFiles(folder: string, hosts: readonly string[]): Promise<TlsFiles> {
  const [certificatePath, keyPath] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  try {
    return { certificate: await readFile(certificatePath, 'utf8'), key: await readFile(keyPath, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = await makeCertificate(hosts);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [path, text] of [
    [keyPath, made.key],
    [certificatePath, made.certificate],
  ] as const) {
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
  }
  return made;
}

/** Loaded only when one is made: the library costs memory for as long as the process lives. */
async function makeCertificate(hosts: readonly string[]): Promise<TlsFiles> {
  await import('reflect-metadata');
  const { SubjectAlternativeNameExtension, X509CertificateGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=navarch-gateway',
    keys,
    signingAlgorithm: { ...algorithm, hash: 'SHA-256' },
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + validForMs),
    extensions: [
      new SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
      ),
    ],
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = key.replaceAll(/.{1,64}/g, '$&\n');
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${lines}-----END PRIVATE KEY-----\n`,
  };
}
