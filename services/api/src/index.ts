export { Api, type ApiOptions } from './api.ts';
