// Joins navctl and all that it imports into one file, dist/navctl.js: a command line tool is started for every command,
// and loading some 570 modules one by one takes three times as long. Skips the work when nothing changed.
import { globSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, 'dist/navctl.js');

const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const inputs = globSync('packages/{proto,machinery,kinds,kit,bus,client,cli}/dist/**/*.js', {
  cwd: join(here, '../..'),
}).map((file) => join(here, '../..', file));
const newest = Math.max(
  changedAt(join(here, '../../package-lock.json')),
  ...inputs.filter((file) => file !== output).map(changedAt),
);

if (changedAt(output) < newest) {
  const bundle = await rolldown({ input: join(here, 'dist/main.js'), platform: 'node', logLevel: 'warn' });
  await bundle.write({ file: output, format: 'esm', minify: { compress: false, mangle: false, codegen: true } });
  await bundle.close();
}
