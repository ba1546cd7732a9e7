import { readFileSync } from 'node:fs';

const packageFile = new URL('../package.json', import.meta.url);

/** Of navctl, from its package.json. */
export const clientVersion = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
