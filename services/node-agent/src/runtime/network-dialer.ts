import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ApiError } from '@navarch/machinery';
import type { SandboxNetwork } from './runtime.ts';

/** What a dialing process is asked, and answers; the socket comes beside the answer. */
export interface DialQuestion {
  readonly id: number;
  readonly port: number;
}
export interface DialAnswer {
  readonly id: number;
  /** Why there is no socket. */
  readonly error?: string;
}

/** Started from its source or as it was built. */
const program = fileURLToPath(
  new URL(`./dial${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/**
 * Dials in the network namespace of a process. A socket belongs to the namespace that its maker was in, and Node can't change
 * its own: so a helper process in there makes the sockets and hands them over, and then has nothing more to do with them. It
 * costs about as much as an idle Node, for as long as somebody forwards ports of the Pod.
 */
export class NetworkDialer implements SandboxNetwork {
  readonly #helper: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Duplex>>();
  #counter = 0;
  #complaint = '';

  /** `pid` is a process in the namespace. */
  constructor(pid: number) {
    this.#helper = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, process.execPath, program], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#helper.stderr?.on('data', (text: Buffer) => {
      this.#complaint = (this.#complaint + text.toString()).slice(-1000);
    });
    this.#helper.on('message', (answer: DialAnswer, socket) => this.#answered(answer, socket));
    this.#helper.on('error', (error) => this.#ended(error.message));
    this.#helper.on('close', () => this.#ended(this.#complaint.trim() || 'it ended'));
  }

  dial(port: number): Promise<Duplex> {
    const id = ++this.#counter;
    const dialed = Promise.withResolvers<Duplex>();
    this.#waiting.set(id, dialed);
    this.#helper.send({ id, port } satisfies DialQuestion, (error) => {
      if (error !== null) this.#ended(error.message);
    });
    return dialed.promise;
  }

  close(): void {
    if (this.#helper.connected) this.#helper.disconnect();
  }

  #answered({ id, error }: DialAnswer, handle: unknown): void {
    const dialed = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (handle instanceof Socket && dialed !== undefined) {
      // Whoever has sent everything may still want the answer.
      handle.allowHalfOpen = true;
      dialed.resolve(handle);
      return;
    }
    if (handle instanceof Socket) handle.destroy();
    dialed?.reject(new ApiError('BadRequest', error ?? 'the connection ended at once'));
  }

  #ended(why: string): void {
    const error = new ApiError('Unavailable', `the Pod's network can't be entered: ${why}`);
    for (const dialed of this.#waiting.values()) dialed.reject(error);
    this.#waiting.clear();
  }
}
