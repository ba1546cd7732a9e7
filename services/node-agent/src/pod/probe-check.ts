import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { Container, Probe } from '@navarch/proto';
import type { Runtime } from '../runtime/runtime.ts';

export interface ProbeResult {
  readonly passed: boolean;
  /** Why not. */
  readonly message: string;
}

export interface ProbeTarget {
  readonly container: Container;
  readonly containerId: string;
  /** Where the container's ports are reached. */
  readonly ip: string;
  readonly runtime: Pick<Runtime, 'execSync' | 'listening'>;
}

const passed: ProbeResult = { passed: true, message: '' };
const mostOutput = 512;

/** Asks once. Never throws: what goes wrong is the answer. */
export async function checkProbe(probe: Probe, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  try {
    if (probe.httpGet) return await checkHttp(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket) return await checkTcp(probe.tcpSocket, target, timeoutMs);
    if (probe.exec) return await checkExec(probe.exec.command, target, timeoutMs);
    return passed;
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

async function checkHttp(action: NonNullable<Probe['httpGet']>, target: ProbeTarget, timeoutMs: number) {
  const port = portNumber(action.port, target.container);
  const host = action.host || target.ip;
  const secure = action.scheme === 'HTTPS';
  const headers: Record<string, string> = { 'user-agent': 'navarch-probe', accept: '*/*', connection: 'close' };
  for (const { name, value } of action.httpHeaders) headers[name.toLowerCase()] = value;
  const status = await new Promise<number>((resolve, reject) => {
    const options = {
      host,
      port,
      path: action.path ?? '/',
      headers,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      ...(secure && { rejectUnauthorized: false }),
    };
    const asked = (secure ? requestHttps : requestHttp)(options, (response) => {
      response.resume();
      response.once('error', () => {});
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    asked.once('error', reject);
    asked.end();
  });
  return status >= 200 && status < 400 ? passed : failed(`HTTP probe failed with statuscode: ${status}`);
}

async function checkTcp(action: NonNullable<Probe['tcpSocket']>, target: ProbeTarget, timeoutMs: number) {
  const port = portNumber(action.port, target.container);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: action.host || target.ip, port, signal: AbortSignal.timeout(timeoutMs) });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
  return passed;
}

async function checkExec(command: readonly string[], target: ProbeTarget, timeoutMs: number) {
  const { exitCode, stdout, stderr } = await target.runtime.execSync(target.containerId, command, { timeoutMs });
  if (exitCode === 0) return passed;
  const output = Buffer.concat([stdout, stderr]).toString().trim().slice(0, mostOutput);
  return failed(`command ended with ${exitCode}${output === '' ? '' : `: ${output}`}`);
}

/** A port given by its name is looked up among the container's ports. */
function portNumber(port: unknown, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports.find(({ name }) => name === port);
  if (named) return named.containerPort;
  const parsed = Number(port);
  if (Number.isInteger(parsed) && parsed > 0) return parsed;
  throw new Error(`container "${container.name}" has no port named "${String(port)}"`);
}

function failed(message: string): ProbeResult {
  return { passed: false, message };
}
