import { freePorts } from '@navarch/testing';
import { ServiceProcess } from '../../frame/service-process.ts';

export interface ApiProcessOptions {
  readonly etcd: string;
  /** Without it there is no bus, which the api does not need. */
  readonly nats?: string;
  /** Writes a CPU profile into this folder when it ends. */
  readonly profileDir?: string | undefined;
}

/** The api as it runs in a cluster, and where it listens. */
export type ApiProcess = ServiceProcess & { readonly address: string };

/** Started, and ready to be used. */
export async function startApiProcess({ etcd, nats, profileDir }: ApiProcessOptions): Promise<ApiProcess> {
  const [port, noNats] = await freePorts(2);
  const address = `127.0.0.1:${port}`;
  const service = await ServiceProcess.start({
    service: 'api',
    profileDir,
    env: {
      NAVARCH_ETCD: etcd,
      NAVARCH_NATS: nats ?? `nats://127.0.0.1:${noNats}`,
      NAVARCH_LISTEN: address,
    },
  });
  return Object.assign(service, { address });
}
