import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ApiError } from '@navarch/machinery';
import type { ClusterKeys } from './cluster-keys.ts';

/** The certificates of the cluster's authority: a P-256 key, as browsers and clients of the last ten years can check. */

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { ...keyAlgorithm, hash: 'SHA-256' };

const day = 24 * 3600 * 1000;
const authorityMs = 3650 * day;
/** Clocks differ. */
const earlierMs = 5 * 60 * 1000;

export async function makeAuthority(clusterName: string, now: number): Promise<ClusterKeys['authority']> {
  const keys = await crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`navarch-ca ${clusterName}`] }],
    keys,
    signingAlgorithm,
    notBefore: new Date(now - earlierMs),
    notAfter: new Date(now + authorityMs),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const privateKey = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { certificate: `${certificate.toString('pem')}\n`, privateKey };
}

export type CertificateOf =
  | { readonly username: string; readonly groups: readonly string[] }
  | { readonly names: readonly string[] };

/** A certificate, PEM, of a client or of a server, for a key of theirs (a SubjectPublicKeyInfo). Throws BadRequest. */
export async function issueCertificate(
  authority: ClusterKeys['authority'],
  wanted: {
    readonly publicKey: Uint8Array;
    readonly of: CertificateOf;
    readonly validMs: number;
    readonly now: number;
  },
): Promise<string> {
  const { of, validMs, now } = wanted;
  const issuer = new X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    Buffer.from(authority.privateKey, 'base64'),
    keyAlgorithm,
    false,
    ['sign'],
  );
  const isServer = 'names' in of;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex'),
    subject: isServer
      ? [{ CN: ['navarch-gateway'] }]
      : [...of.groups.map((group) => ({ O: [group] })), { CN: [of.username] }],
    issuer: issuer.subjectName.toJSON(),
    publicKey: publicKeyOf(wanted.publicKey),
    signingKey,
    signingAlgorithm,
    notBefore: new Date(now - earlierMs),
    notAfter: new Date(Math.min(now + validMs, issuer.notAfter.getTime())),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([isServer ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(isServer ? [new SubjectAlternativeNameExtension(of.names.map(altName))] : []),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function altName(value: string) {
  return { type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value };
}

function publicKeyOf(der: Uint8Array): PublicKey {
  try {
    return new PublicKey(Uint8Array.from(der));
  } catch (error) {
    throw new ApiError('BadRequest', 'public_key must be a SubjectPublicKeyInfo (DER)', { cause: error });
  }
}
