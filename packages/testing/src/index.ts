export * from './etcd.ts';
export * from './etcd3.ts';
export * from './free-port.ts';
export * from './nats.ts';
export * from './tcp-proxy.ts';
export * from './wait-for.ts';
