#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

const program = new URL('../dist/navctl.js', import.meta.url);
if (!existsSync(program)) {
  console.error('navctl is not built yet. Run: npm run build');
  process.exit(1);
}
// Keeps what V8 compiled for the next start; Node 20 does not have it.
nodeModule.enableCompileCache?.();
await import(program.href);
