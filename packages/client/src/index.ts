export * from './client.ts';
export * from './informer-set.ts';
