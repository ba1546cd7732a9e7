import { type FileHandle, open, rename } from 'node:fs/promises';
import type { Component, Logger } from '@navarch/kit';

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that is larger becomes `<path>.1`, and so on. */
  readonly maxBytes: number;
  /** So many older files are kept. */
  readonly backups: number;
  /** So much waits to be written; what comes then is lost, and counted. */
  readonly maxWaitingBytes: number;
  readonly logger: Logger;
  readonly onLost: () => void;
}

/** Lines in a file that is its owner's alone, with the older ones in files beside it. Writers never wait. */
export class RotatingFile implements Component {
  readonly name = 'audit log';
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #bytes = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#open();
  }

  async stop(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#waitingBytes + bytes > this.#options.maxWaitingBytes) {
      this.#options.onLost();
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#writing ??= this.#drain();
  }

  /** What waits is written together. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      const text = Buffer.from(`${lines.join('\n')}\n`);
      try {
        if (this.#bytes > 0 && this.#bytes + text.length > this.#options.maxBytes) await this.#rotate();
        await this.#file?.appendFile(text);
        this.#bytes += text.length;
      } catch (error) {
        for (const _ of lines) this.#options.onLost();
        this.#options.logger.error({ err: error }, 'the audit log can not be written');
      }
    }
    this.#writing = undefined;
  }

  async #rotate(): Promise<void> {
    const { path, backups } = this.#options;
    await this.#file?.close();
    for (let at = backups; at > 0; at--) await moved(at === 1 ? path : `${path}.${at - 1}`, `${path}.${at}`);
    await this.#open(backups === 0 ? 'w' : 'a');
  }

  async #open(flags = 'a'): Promise<void> {
    this.#file = await open(this.#options.path, flags, 0o600);
    await this.#file.chmod(0o600);
    this.#bytes = (await this.#file.stat()).size;
  }
}

async function moved(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
