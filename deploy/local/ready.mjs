import { createConnection } from 'node:net';
import { criAnswers } from './cri.mjs';

/**
 * How to see that a process is ready: an HTTP answer of 200, a TCP port that accepts, or a CRI socket that answers.
 * @typedef {{ http: string } | { tcp: string } | { cri: string }} Probe
 */

/**
 * @param {Probe} probe
 * @returns {Promise<boolean>} false or rejected: not ready
 */
export async function isReady(probe) {
  if ('cri' in probe) return criAnswers(probe.cri);
  if ('http' in probe) return (await fetch(probe.http, { signal: AbortSignal.timeout(1000) })).ok;
  const at = probe.tcp.lastIndexOf(':');
  return accepts(probe.tcp.slice(0, at), Number(probe.tcp.slice(at + 1)));
}

/** @param {string} host @param {number} port @returns {Promise<boolean>} */
export function accepts(host, port) {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 1000 });
    const done = (/** @type {boolean} */ answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => done(true))
      .once('error', () => done(false))
      .once('timeout', () => done(false));
  });
}
