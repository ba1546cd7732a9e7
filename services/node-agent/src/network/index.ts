export { gatewayOf } from './address.ts';
export { Network, type NetworkOptions } from './network.ts';
export { bridgeDevice, overlayDevice, rulesTable } from './node-network.ts';
