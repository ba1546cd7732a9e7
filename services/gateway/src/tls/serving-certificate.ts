import { generateKeyPairSync } from 'node:crypto';
import type { Connection } from '@navarch/client';
import { Backoff, type Clock, type Component, linkSignals, type Logger, retry } from '@navarch/kit';
import { AccessService } from '@navarch/proto';

export interface TlsIdentity {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** Whose client certificates are believed. PEM. */
  readonly clientAuthority: string;
}

interface ServingCertificateOptions {
  readonly connection: Pick<Connection, 'unary'>;
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each certificate after the first. */
  readonly onRenewed: (identity: TlsIdentity) => void;
}

const day = 24 * 3600 * 1000;
const validMs = 30 * day;
/** A third of its life is left for an api that is away. */
const renewAfterMs = 20 * day;

/**
 * The certificate that the gateway serves with: given by the api for a key that is made anew each time and never leaves this
 * process, and renewed long before it ends. Nothing of it is on disk, and all gateways' are of one authority.
 */
export class ServingCertificate implements Component {
  readonly name = 'certificate';
  readonly #options: ServingCertificateOptions;
  readonly #life = linkSignals();
  #current: TlsIdentity | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ServingCertificateOptions) {
    this.#options = options;
  }

  /** The certificate as it is now, once started. */
  get current(): TlsIdentity {
    if (this.#current === undefined) throw new Error('there is no certificate before the start');
    return this.#current;
  }

  /** Waits for the api. */
  async start(signal: AbortSignal): Promise<void> {
    this.#current = await this.#obtain(AbortSignal.any([signal, this.#life.signal]));
    this.#running = this.#renew(this.#life.signal);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#running;
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, logger, onRenewed } = this.#options;
    try {
      for (;;) {
        await clock.sleep(renewAfterMs, signal);
        this.#current = await this.#obtain(signal);
        onRenewed(this.#current);
        logger.info('the certificate was renewed');
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #obtain(signal: AbortSignal): Promise<TlsIdentity> {
    const { logger } = this.#options;
    return await retry((signal) => this.#ask(signal), {
      backoff: new Backoff({ baseMs: 200, maxMs: 10_000 }),
      signal,
      onError: (err, delayMs) => logger.warn({ err, delayMs }, 'no certificate yet: the api gives it'),
    });
  }

  async #ask(signal: AbortSignal): Promise<TlsIdentity> {
    const { connection, names } = this.#options;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const request = {
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      of: { $case: 'server' as const, value: { names: [...names] } },
      validSeconds: BigInt(validMs / 1000),
    };
    const { certificate, authority } = await connection.unary(AccessService.issueCertificate, request, { signal });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificate: `${certificate}${authority}`, key, clientAuthority: authority };
  }
}
