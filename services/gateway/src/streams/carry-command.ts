import type { ExecSession } from '@navarch/client';
import { type Status, statusOf } from '../http/status.ts';
import type { CommandStreams, WantedStreams } from './command-streams.ts';

const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 };

/** Connects a client to a program, until the program ends or the client goes. */
export async function carryCommand(
  program: ExecSession,
  client: CommandStreams,
  wanted: WantedStreams,
  /** Whether the program's exit code is the client's to know. */
  tellsExit: boolean,
): Promise<void> {
  const sending = (async () => {
    for await (const input of client.input) await program.send(input);
  })();
  // Where the client has gone, the output breaks off as well, and is awaited below.
  sending.catch(() => undefined);
  let status = success;
  try {
    for await (const piece of program.output) {
      if (piece.type === 'exit') status = tellsExit ? exitStatus(piece.code) : success;
      else if (wanted[piece.type]) await client.write(piece.type, piece.data);
    }
  } catch (error) {
    status = statusOf(error);
  }
  await client.finish(status);
}

/** Source: kubernetes staging/src/k8s.io/apimachinery/pkg/util/remotecommand, and the kubelet's use of it. */
export function exitStatus(exitCode: number): Status {
  if (exitCode === 0) return success;
  const text = String(exitCode);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${text}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: text }] },
    code: 500,
  };
}
