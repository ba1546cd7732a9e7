export { accessParts } from './access/access-parts.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export * from './identity.ts';
export { ServingCertificate } from './tls/serving-certificate.ts';
