import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Io, UserError } from './session.ts';

/** A file that a person edits. Nobody else can read it, for it may hold secrets. */
export interface EditedFile extends AsyncDisposable {
  readonly path: string;
  write(text: string): Promise<void>;
  /** Writes it, and gives what the file is once the editor has ended. Throws UserError when the editor failed. */
  edit(text: string): Promise<string>;
  /** Disposing leaves it where it is. */
  keep(): void;
}

/** A file of that name in a folder of its own. The editor is $KUBE_EDITOR, $EDITOR or vi. */
export async function editedFile({ env }: Pick<Io, 'env'>, name: string): Promise<EditedFile> {
  const dir = await mkdtemp(join(tmpdir(), 'navctl-edit-')); // mode 0700
  const path = join(dir, name);
  const editor = env['KUBE_EDITOR'] || env['EDITOR'] || 'vi';
  let kept = false;
  const write = (text: string) => writeFile(path, text, { mode: 0o600 });
  return {
    path,
    write,
    edit: async (text) => {
      await write(text);
      await runEditor(editor, path, env);
      return await readFile(path, 'utf8');
    },
    keep: () => {
      kept = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!kept) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** By the shell, for $EDITOR may have arguments: code --wait. */
async function runEditor(editor: string, path: string, env: Io['env']): Promise<void> {
  const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit', env: { ...env } });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]; // as node:child_process emits
  if (code === 0) return;
  const how = code === 127 ? 'was not found' : `ended with ${signal ?? `exit code ${code}`}`;
  throw new UserError(`the editor "${editor}" ${how}; KUBE_EDITOR or EDITOR names another`);
}
