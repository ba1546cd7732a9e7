import { connect, constants } from 'node:http2';
import { createConnection } from 'node:net';

// The few calls of the CRI that stopping needs, over bare HTTP/2: the start script has no dependencies.
// Field numbers: https://github.com/kubernetes/cri-api/blob/v0.27.0/pkg/apis/runtime/v1/api.proto

/**
 * @param {string} socket
 * @returns {Promise<boolean>} true once the CRI service answers
 */
export async function criAnswers(socket) {
  await call(socket, 'Version', Buffer.alloc(0), 2000);
  return true;
}

/** @param {string} socket @returns {Promise<string[]>} ids */
export const listSandboxes = async (socket) => idsIn(await call(socket, 'ListPodSandbox', Buffer.alloc(0)));

/** The ids of containers that run. @param {string} socket */
export function listRunningContainers(socket) {
  // ListContainersRequest.filter (1) . state (2) . state (1) = CONTAINER_RUNNING (1)
  return call(socket, 'ListContainers', bytesField(1, bytesField(2, Buffer.from([0x08, 1])))).then(idsIn);
}

/** @param {string} socket @param {string} id @param {number} graceSeconds */
export const stopContainer = (socket, id, graceSeconds) =>
  call(
    socket,
    'StopContainer',
    Buffer.concat([stringField(1, id), Buffer.from([0x10, graceSeconds])]),
    (graceSeconds + 15) * 1000,
  );

/** @param {string} socket @param {string} id */
export async function removeSandbox(socket, id) {
  await call(socket, 'StopPodSandbox', stringField(1, id));
  await call(socket, 'RemovePodSandbox', stringField(1, id));
}

/**
 * One unary gRPC call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 * @param {string} socket @param {string} method @param {Buffer} request
 * @returns {Promise<Buffer>}
 */
function call(socket, method, request, timeoutMs = 30_000) {
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
    const fail = (/** @type {unknown} */ error) => {
      clearTimeout(timer);
      session.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`${method} took over ${timeoutMs / 1000} s`)), timeoutMs);
    session.once('error', fail);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: `/runtime.v1.RuntimeService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    /** @type {Buffer[]} */
    const chunks = [];
    /** @type {import('node:http2').IncomingHttpHeaders} */
    let status = {};
    stream.once('error', fail);
    stream.on('response', (headers) => (status = headers['grpc-status'] === undefined ? status : headers));
    stream.on('trailers', (headers) => (status = headers));
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      if (status['grpc-status'] !== '0') return fail(new Error(`${method}: ${String(status['grpc-message'])}`));
      clearTimeout(timer);
      session.close();
      resolve(Buffer.concat(chunks).subarray(5)); // one uncompressed message after its 5-byte prefix
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([prefix, request]));
  });
}

/** @param {number} number @param {Buffer} bytes */
const bytesField = (number, bytes) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
/** @param {number} number @param {string} text at most 127 bytes, as ids are */
const stringField = (number, text) => bytesField(number, Buffer.from(text));

/** The `id` (1) of each item (1) of a list response. @param {Buffer} message */
function idsIn(message) {
  return [...fields(message)].flatMap(({ number, bytes }) =>
    number === 1 ? [...fields(bytes)].filter((field) => field.number === 1).map((field) => field.bytes.toString()) : [],
  );
}

/** The length-delimited fields of a protobuf message. @param {Buffer} message */
function* fields(message) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const type = tag & 7;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else {
      const length = varint();
      yield { number: Math.floor(tag / 8), bytes: message.subarray(at, at + length) };
      at += length;
    }
  }
}
