import { describe, expect, test } from 'vitest';
import { cniConfig } from './cni-config.ts';
import { bridgePlan, type Link, podMtu } from './devices.ts';
import { type OverlayState, overlayPlan } from './overlay.ts';

const node = {
  nodeName: 'n1',
  nodeIp: '192.0.2.11',
  podCidr: '10.244.0.0/24',
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  clusterDns: '10.96.0.10',
};
const link = (ifname: string, ...addresses: string[]): Link => ({
  ifname,
  mtu: 1500,
  addr_info: addresses.map((address) => ({
    family: 'inet',
    local: address.split('/')[0] ?? '',
    prefixlen: Number(address.split('/')[1]),
  })),
});
const nothing: OverlayState = { links: [], local: undefined, routes: [], neighbours: [], forwarding: [] };
const peer = { nodeIp: '192.0.2.12', podCidr: '10.244.1.0/24' };
const whole: OverlayState = {
  links: [link('navx0')],
  local: '192.0.2.11',
  routes: [{ dst: '10.244.1.0/24', gateway: '10.244.1.0' }],
  neighbours: [{ dst: '10.244.1.0', lladdr: '0a:4e:0a:f4:01:00' }],
  forwarding: [{ mac: '0a:4e:0a:f4:01:00', dst: '192.0.2.12' }],
};

describe('the overlay', () => {
  test('is nothing on a lone node, and goes with the last other one', () => {
    expect(overlayPlan(node, 1450, [], nothing)).toEqual({ ip: [], bridge: [] });
    expect(overlayPlan(node, 1450, [], whole)).toEqual({ ip: ['link del navx0'], bridge: [] });
  });

  test('leads to each other node', () => {
    expect(overlayPlan(node, 1450, [peer], nothing)).toEqual({
      ip: [
        'link add navx0 address 0a:4e:0a:f4:00:00 mtu 1450 type vxlan id 1 local 192.0.2.11 dstport 4789 nolearning',
        'address add 10.244.0.0/32 dev navx0',
        'link set navx0 up',
        'neighbour replace 10.244.1.0 lladdr 0a:4e:0a:f4:01:00 dev navx0 nud permanent',
        'route replace 10.244.1.0/24 via 10.244.1.0 dev navx0 onlink',
      ],
      bridge: ['fdb replace 0a:4e:0a:f4:01:00 dev navx0 dst 192.0.2.12 self permanent'],
    });
  });

  test('is left alone when it is as it must be', () => {
    expect(overlayPlan(node, 1450, [peer], whole)).toEqual({ ip: [], bridge: [] });
  });

  test('forgets a node that went, and follows one that moved', () => {
    const other = { nodeIp: '192.0.2.13', podCidr: '10.244.2.0/24' };
    const { ip, bridge } = overlayPlan(node, 1450, [other], whole);
    expect(ip).toContain('route del 10.244.1.0/24 dev navx0');
    expect(ip).toContain('neighbour del 10.244.1.0 dev navx0');
    expect(bridge).toContain('fdb del 0a:4e:0a:f4:01:00 dev navx0 dst 192.0.2.12 self');
    expect(overlayPlan(node, 1450, [{ ...peer, nodeIp: '192.0.2.99' }], whole)).toEqual({
      ip: [],
      bridge: ['fdb replace 0a:4e:0a:f4:01:00 dev navx0 dst 192.0.2.99 self permanent'],
    });
  });

  test('is made anew when the node’s own address changed', () => {
    const { ip } = overlayPlan({ ...node, nodeIp: '192.0.2.50' }, 1450, [peer], whole);
    expect(ip.slice(0, 2)).toEqual(['link del navx0', expect.stringContaining('local 192.0.2.50')]);
  });
});

describe('the bridge', () => {
  test('is made with gateway, name server and the way to Services', () => {
    expect(bridgePlan(node, 1450, [])).toEqual([
      'link add nav0 address 0a:4e:0a:f4:00:01 type bridge',
      'link set nav0 mtu 1450',
      'address add 10.244.0.1/24 dev nav0',
      'address add 10.96.0.10/32 dev nav0',
      'link set nav0 up',
      'route replace 10.96.0.0/16 dev nav0 src 10.244.0.1',
    ]);
  });

  test('loses what belongs to an earlier range', () => {
    const lines = bridgePlan(node, 1450, [link('nav0', '10.244.9.1/24', '10.96.0.10/32')]);
    expect(lines.slice(0, 2)).toEqual(['address del 10.244.9.1/24 dev nav0', 'address add 10.244.0.1/24 dev nav0']);
  });

  test('leaves room for the overlay’s header', () => {
    expect(podMtu([{ ...link('eth0', '192.0.2.11/24'), mtu: 9000 }], '192.0.2.11')).toBe(8950);
    expect(podMtu([{ ...link('lo', '127.0.0.1/8'), mtu: 65_536 }], '127.0.0.1')).toBe(1450);
  });
});

test('the CNI configuration gives Pods addresses of the node’s range', () => {
  const config: unknown = JSON.parse(cniConfig({ podCidr: '10.244.3.0/24', mtu: 1450, dataDir: '/var/lib/x' }));
  expect(config).toMatchObject({
    name: 'navarch',
    plugins: [
      {
        type: 'bridge',
        bridge: 'nav0',
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        mtu: 1450,
        ipam: { type: 'host-local', dataDir: '/var/lib/x', ranges: [[{ subnet: '10.244.3.0/24' }]] },
      },
    ],
  });
});
