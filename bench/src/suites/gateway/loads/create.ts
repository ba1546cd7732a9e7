import { builtinKinds, fromResource, manifest } from '@navarch/kinds';
import { percentile } from '../../../frame/samples.ts';
import { NumberedTemplate } from '../../api/numbered-template.ts';
import { pod } from '../../api/pods.ts';
import { ask, connectGateway, type GatewayAccess } from './https.ts';

export interface CreateLoad {
  readonly gateway: GatewayAccess;
  readonly inFlight: number;
  readonly from: number;
  readonly objects: number;
}

export interface CreateTimes {
  readonly seconds: number;
  readonly medianMs: number;
}

/** Creates Pods by POST, so many at once. */
export default async function load({ gateway, inFlight, from, objects }: CreateLoad): Promise<CreateTimes> {
  const session = connectGateway(gateway);
  const { kind, object } = fromResource(pod, builtinKinds);
  const template = new NumberedTemplate(Buffer.from(JSON.stringify(manifest(kind, object))), 1);
  const latencies: number[] = [];
  let next = from;
  const one = async () => {
    while (next < from + objects) {
      const startedMs = performance.now();
      const answer = await ask(session, 'POST', '/api/v1/namespaces/default/pods', template.from(next++));
      await answer.resume().toArray();
      latencies.push(performance.now() - startedMs);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, one));
  const seconds = (performance.now() - startedMs) / 1000;
  session.destroy();
  return { seconds, medianMs: percentile(latencies, 0.5) };
}
