export { Gateway, type GatewayOptions } from './gateway.ts';
export * from './identity.ts';
