import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';

/** Response codes of RFC 1035, in the low four bits of the flags. */
export const rcode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** Flag bits of RFC 1035. */
const authoritative = 0x0400;
const truncated = 0x0200;
const recursionDesired = 0x0100;
const recursionAvailable = 0x0080;

/** What fits a UDP answer: 512 bytes unless the asker says more (RFC 6891), and never more than travels unfragmented. */
const plainUdpBytes = 512;
export const mostUdpBytes = 1232;

export interface Query {
  readonly id: number;
  readonly flags: number;
  readonly question: Question;
  /** What the asker can take by UDP; undefined without EDNS. */
  readonly udpPayloadBytes: number | undefined;
}

/** Reads a question, or says with which code to refuse it; undefined for what deserves no answer at all. */
export function readQuery(bytes: Buffer): { query: Query } | { id: number; refuse: number } | undefined {
  if (bytes.length < 12) return undefined;
  const id = bytes.readUInt16BE(0);
  const flags = bytes.readUInt16BE(2);
  // An answer to an answer could go on for ever.
  if ((flags & 0x8000) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return { id, refuse: rcode.notImplemented };
  let packet: Packet;
  try {
    packet = decode(bytes);
  } catch {
    return { id, refuse: rcode.formatError };
  }
  const question = packet.questions?.[0];
  if (packet.questions?.length !== 1 || question === undefined) return { id, refuse: rcode.formatError };
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  // The type declarations leave the field of OPT records out for decoded packets.
  const size = (opt as { udpPayloadSize?: number } | undefined)?.udpPayloadSize;
  return { query: { id, flags, question, udpPayloadBytes: opt === undefined ? undefined : (size ?? plainUdpBytes) } };
}

export interface Reply {
  readonly code: number;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  /** Whether the names are our own. */
  readonly authoritative: boolean;
}

/** Writes the answer. By UDP it fits what the asker can take: else it comes without records and says so (TC). */
export function writeReply(query: Query, reply: Reply, transport: 'udp' | 'tcp'): Buffer {
  const limit =
    transport === 'tcp'
      ? 65_535
      : Math.min(Math.max(query.udpPayloadBytes ?? plainUdpBytes, plainUdpBytes), mostUdpBytes);
  const whole = pack(query, reply, 0);
  if (whole.length <= limit) return whole;
  // The extra records are a courtesy: dropped before the asker is sent to TCP.
  const { additionals: _, ...bare } = reply;
  const lean = pack(query, bare, 0);
  return lean.length <= limit ? lean : pack(query, { code: reply.code, authoritative: reply.authoritative }, truncated);
}

/** A refusal of what couldn't be read. */
export function writeRefusal(id: number, code: number): Buffer {
  return encode({ type: 'response', id, flags: code });
}

/** A forwarded answer that is too long for the asker's UDP: the same without records, marked. */
export function truncateForUdp(query: Query, answer: Buffer): Buffer {
  const limit = Math.max(query.udpPayloadBytes ?? plainUdpBytes, plainUdpBytes);
  if (answer.length <= limit) return answer;
  return pack(query, { code: answer.readUInt16BE(2) & 0xf, authoritative: false }, truncated);
}

function pack(query: Query, reply: Reply, more: number): Buffer {
  const flags =
    (query.flags & recursionDesired) |
    recursionAvailable |
    (reply.authoritative ? authoritative : 0) |
    more |
    reply.code;
  const opt: Answer[] =
    query.udpPayloadBytes === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: mostUdpBytes,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  return encode({
    type: 'response',
    id: query.id,
    flags,
    questions: [query.question],
    answers: [...(reply.answers ?? [])],
    authorities: [...(reply.authorities ?? [])],
    additionals: [...(reply.additionals ?? []), ...opt],
  });
}
