import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Lister } from '@navarch/client';
import type { Clock, Logger, Metrics } from '@navarch/kit';
import type { EndpointSlice, Service } from '@navarch/proto';
import { parseNetwork } from '../address.ts';
import { serviceNameLabel } from '../service-plan.ts';
import { Forwarder } from './forwarder.ts';
import { NodeNameServers } from './resolv-conf.ts';
import { answer, type Transport } from './resolver.ts';
import type { ZoneView } from './zone.ts';

export interface DnsServerOptions {
  /** Not yet running: the server adds indexes of its own. */
  readonly services: Lister<Service>;
  readonly endpointSlices: Lister<EndpointSlice>;
  readonly address: string;
  /** Default 53. */
  readonly port?: number;
  readonly serviceCidr: string;
  readonly clusterCidr: string;
  /** Where the node's name servers are written. Default /etc/resolv.conf. */
  readonly resolvConf?: string;
  /** Where the node's name servers listen. Default 53. */
  readonly upstreamPort?: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

const mostConnections = 128;
const idleMs = 10_000;

/**
 * The name server of one node: answers Pods from the node's own caches, by UDP and TCP, so that names resolve while the
 * whole control plane is away. Other names are handed on to the node's name servers.
 */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #view: ZoneView;
  readonly #forwarder: Forwarder;
  readonly #questions;
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  #complained = false;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#view = zoneView(options);
    const { clock, address, resolvConf, upstreamPort } = options;
    const nameServers = new NodeNameServers({
      own: [address],
      monotonicMs: () => clock.monotonicMs(),
      ...(resolvConf !== undefined && { file: resolvConf }),
    });
    this.#forwarder = new Forwarder({
      nameServers: () => nameServers.current(),
      ...(upstreamPort !== undefined && { port: upstreamPort }),
    });
    this.#questions = options.metrics.counter({
      name: 'navarch_dns_questions_total',
      help: 'Questions to the name server, by transport and outcome.',
      labelNames: ['transport', 'outcome'],
    });
  }

  /** Listens, unless it already does. When the address can't be taken it says so once and returns: call it again. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#udp !== undefined) return;
    const { address, port = 53, logger } = this.#options;
    const udp = createSocket('udp4');
    const tcp = createServer((socket) => this.#serveConnection(socket));
    tcp.maxConnections = mostConnections;
    try {
      udp.bind(port, address);
      await once(udp, 'listening', { signal });
      tcp.listen(udp.address().port, address);
      await once(tcp, 'listening', { signal });
    } catch (error) {
      udp.close();
      tcp.close();
      signal.throwIfAborted();
      if (!this.#complained)
        logger.error({ err: error, address, port }, 'the name server can not listen; trying again');
      this.#complained = true;
      return;
    }
    udp.on('message', (message, from) => {
      void this.#answer(message, 'udp').then((reply) => {
        if (reply !== undefined && this.#udp === udp) udp.send(reply, from.port, from.address, () => {});
      });
    });
    udp.on('error', (error) => logger.warn({ err: error }, 'name server: UDP'));
    tcp.on('error', (error) => logger.warn({ err: error }, 'name server: TCP'));
    this.#udp = udp;
    this.#tcp = tcp;
    this.#complained = false;
    logger.info({ address, port: udp.address().port }, 'name server listening');
  }

  /** The port, once it listens. */
  get port(): number | undefined {
    return this.#udp?.address().port;
  }

  async stop(): Promise<void> {
    this.#udp?.close();
    this.#tcp?.close();
    this.#udp = undefined;
    this.#tcp = undefined;
  }

  async #answer(message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    // Anybody may send anything: no message may end the agent, not even one that nobody thought of.
    const { reply, outcome, error } = await answer(message, transport, this.#view, this.#forwarder).catch(
      (thrown: unknown) => ({ reply: undefined, outcome: 'failed' as const, error: thrown }),
    );
    this.#questions.inc({ transport, outcome });
    if (error !== undefined) this.#options.logger.debug({ err: error }, 'a question was not answered');
    return reply;
  }

  /** Messages by TCP have their length in front (RFC 1035, 4.2.2); answered one at a time, so that little waits. */
  #serveConnection(socket: Socket): void {
    socket.setTimeout(idleMs, () => socket.destroy());
    // A peer that hangs up is no news.
    socket.on('error', () => socket.destroy());
    const serve = async () => {
      let received = Buffer.alloc(0);
      for await (const chunk of socket) {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
          const end = 2 + received.readUInt16BE(0);
          const reply = await this.#answer(received.subarray(2, end), 'tcp');
          received = received.subarray(end);
          if (reply === undefined || this.#tcp === undefined) return;
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([length, reply]));
        }
      }
    };
    void serve()
      .catch(() => {})
      .finally(() => socket.destroy());
  }
}

/** Indexes are added here, so the listers' caches must not have been filled yet. */
export function zoneView(
  options: Pick<DnsServerOptions, 'services' | 'endpointSlices' | 'serviceCidr' | 'clusterCidr'>,
): ZoneView {
  const { services, endpointSlices, serviceCidr, clusterCidr } = options;
  const serviceOf = ({ metadata }: { metadata: { namespace: string; labels: Record<string, string> } }) =>
    `${metadata.namespace}/${metadata.labels[serviceNameLabel] ?? ''}`;
  services.addIndex('dns/clusterIP', ({ spec }) => [spec.clusterIp]);
  endpointSlices.addIndex('dns/service', (slice) => [serviceOf(slice)]);
  endpointSlices.addIndex('dns/address', ({ endpoints }) => [
    ...new Set(endpoints.flatMap(({ addresses }) => addresses)),
  ]);
  return {
    service: (namespace, name) => services.get({ namespace, name }),
    slices: (namespace, service) => endpointSlices.byIndex('dns/service', `${namespace}/${service}`),
    hasServicesIn: (namespace) => services.list(namespace).length > 0,
    servicesAt: (ip) => {
      const own = services.byIndex('dns/clusterIP', ip);
      if (own.length > 0) return own;
      const keys = new Set(endpointSlices.byIndex('dns/address', ip).map(serviceOf));
      return [...keys].flatMap((key) => {
        const service = services.get(key);
        return service?.spec.clusterIp === 'None' ? [service] : [];
      });
    },
    serviceNetwork: parseNetwork(serviceCidr),
    clusterNetwork: parseNetwork(clusterCidr),
  };
}
