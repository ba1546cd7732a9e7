import { places } from './config.mjs';

const defaultApi = '127.0.0.1:7400';
const defaultGatewayPort = 7443;

/**
 * Tells that the cluster is ready, what to open, and what to try next.
 * @param {import('./config.mjs').Config} config
 * @param {{ api: string, url: string | undefined, seconds: number | undefined }} state
 */
export function showReady(config, { api, url, seconds }) {
  const lines = [''];
  if (seconds !== undefined) lines.push(`Navarch is ready (${seconds.toFixed(1)} s).`, '');
  if (url) lines.push(`  Open        ${url}   nginx on three replicas, behind a load balancer`);
  lines.push(`  gRPC API    ${api}`, `  Logs        ${places(config).logs}`, '', 'Try next:');
  if (api !== defaultApi) lines.push(`  export NAVARCH_API=${api}`);
  lines.push('  npx navctl get pods -o wide', '  npx navctl get nodes');
  if (config.ports.gateway !== defaultGatewayPort) {
    lines.push(`  export NAVARCH_GATEWAY=https://127.0.0.1:${config.ports.gateway}`);
  }
  if (!config.without.includes('gateway')) {
    lines.push('  (umask 077; npx navctl kubeconfig > navarch.yaml) && kubectl --kubeconfig navarch.yaml get pods');
  }
  if (url) {
    lines.push(
      '  npx navctl scale deployment nginx-deployment --replicas=5',
      '  npx navctl logs deployment/nginx-deployment',
      '  npx navctl exec -it nginx -- sh',
    );
  } else lines.push('  npx navctl apply -f examples/nginx/');
  lines.push('', config.detach ? 'npm stop ends it; its state is kept.' : 'Ctrl-C ends it; its state is kept.');
  if (config.host !== '127.0.0.1' && config.host !== '::1') {
    lines.push('', `Warning: api and NATS listen on ${config.host}, and let in everyone who reaches it.`);
  }
  console.log(lines.join('\n'));
}
