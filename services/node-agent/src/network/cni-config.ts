import { bridgeDevice } from './node-network.ts';

export const cniConfigName = '10-navarch.conflist';

/**
 * What containerd is told about the Pod network: a bridge that is every Pod's gateway, and addresses from the node's own
 * range, remembered under `dataDir`. Sources: https://www.cni.dev/plugins/current/main/bridge and …/ipam/host-local.
 *
 * Two things are left to our own packet rules, because there they change together with everything else and are gone
 * with their table: masquerading (`ipMasq: false`) and host ports (the portmap plugin would need iptables on the host,
 * and leaves its chains behind).
 */
export function cniConfig(node: { podCidr: string; mtu: number; dataDir: string }): string {
  const bridge = {
    type: 'bridge',
    bridge: bridgeDevice,
    isGateway: true,
    isDefaultGateway: true,
    // A Pod may reach itself by the address of a Service that it serves.
    hairpinMode: true,
    ipMasq: false,
    mtu: node.mtu,
    ipam: { type: 'host-local', dataDir: node.dataDir, ranges: [[{ subnet: node.podCidr }]] },
  };
  const list = { cniVersion: '0.4.0', name: 'navarch', plugins: [bridge] };
  return `${JSON.stringify(list, null, 2)}\n`;
}
