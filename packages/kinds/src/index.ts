export * from './define-kind.ts';
