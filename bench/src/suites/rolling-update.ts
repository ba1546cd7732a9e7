import { request } from 'node:http';
import type { LocalCluster } from './local-cluster.ts';

/** Changes the example's image while four clients ask its cluster address without pause, each on a new connection. */
export async function rollingUpdate(
  cluster: LocalCluster,
  signal: AbortSignal,
): Promise<{ answered: number; lost: number; seconds: number }> {
  const service = JSON.parse(await cluster.navctl('get', 'service', 'nginx-service', '-o', 'json')) as {
    spec: { clusterIP: string };
  };
  const over = new AbortController();
  let answered = 0;
  let lost = 0;
  const clients = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted && !signal.aborted) {
      if (await asks(`http://${service.spec.clusterIP}/`)) answered++;
      else lost++;
    }
  });
  const begin = performance.now();
  await cluster.navctl('set', 'image', 'deploy/nginx-deployment', 'nginx=nginx:1.23');
  await cluster.navctl('rollout', 'status', 'deploy/nginx-deployment');
  const seconds = (performance.now() - begin) / 1000;
  over.abort();
  await Promise.all(clients);
  return { answered, lost, seconds };
}

/** Whether one request on a connection of its own is answered with 200 within 5 s. */
function asks(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, timeout: 5000 }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
      response.once('error', () => resolve(false));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
