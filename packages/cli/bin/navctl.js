#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

if (Number.parseInt(process.versions.node, 10) < 22) {
  console.error(
    `navctl needs Node 22 or newer, and this is ${process.version}. \`npx navctl\` runs the one that came with it.`,
  );
  process.exit(1);
}
const program = new URL('../dist/navctl.js', import.meta.url);
if (!existsSync(program)) {
  console.error('navctl is not built yet. Run: npm run build');
  process.exit(1);
}
// Keeps what V8 compiled for the next start.
nodeModule.enableCompileCache?.();
await import(program.href);
