import { decode, encode, type RecordType } from 'dns-packet';
import type { Forwarder } from './forwarder.ts';
import { type Query, rcode, readQuery, type Reply, truncateForUdp, writeRefusal, writeReply } from './message.ts';
import { clusterDomain, lookUp, soa, type ZoneView } from './zone.ts';

export type Transport = 'udp' | 'tcp';

/** How a question was answered, for the metrics. */
export type Outcome = 'cluster' | 'missing' | 'forwarded' | 'failed' | 'refused';

/**
 * Answers one message: the cluster's names from the view, all others by the node's name servers. Undefined for what
 * deserves no answer.
 */
export async function answer(
  message: Buffer,
  transport: Transport,
  view: ZoneView,
  forwarder: Forwarder,
): Promise<{ reply: Buffer | undefined; outcome: Outcome; error?: unknown }> {
  const read = readQuery(message);
  if (read === undefined) return { reply: undefined, outcome: 'refused' };
  if (!('query' in read)) return { reply: writeRefusal(read.id, read.refuse), outcome: 'refused' };
  const { query } = read;
  const { name, type, class: queryClass = 'IN' } = query.question;
  const send = (reply: Reply, outcome: Outcome, error?: unknown) => ({
    reply: writeReply(query, reply, transport),
    outcome,
    ...(error !== undefined && { error }),
  });

  const result =
    queryClass === 'IN' || queryClass === 'ANY' ? lookUp(name, type, view) : ({ type: 'foreign' } as const);
  switch (result.type) {
    case 'missing':
      return send({ code: rcode.nameError, authorities: [soa()], authoritative: true }, 'missing');
    case 'found': {
      const [first] = result.answers;
      if (first?.type === 'CNAME' && (type === 'A' || type === 'AAAA')) {
        const target = await follow(first.data, type, view, forwarder);
        const code = target === undefined ? rcode.serverFailure : target.code;
        return send({ code, answers: [first, ...(target?.answers ?? [])], authoritative: true }, 'cluster');
      }
      const authorities = result.answers.length === 0 ? [soa()] : [];
      const { answers, additionals } = result;
      return send({ code: rcode.noError, answers, additionals, authorities, authoritative: true }, 'cluster');
    }
    case 'foreign':
      try {
        const forwarded = await forwarder.ask(message, transport);
        return { reply: transport === 'udp' ? truncateForUdp(query, forwarded) : forwarded, outcome: 'forwarded' };
      } catch (error) {
        return send({ code: rcode.serverFailure, authoritative: false }, 'failed', error);
      }
    default:
      return result satisfies never;
  }
}

/** What stands behind an ExternalName: resolvers of C libraries take the whole chain or nothing. */
async function follow(
  name: string,
  type: RecordType,
  view: ZoneView,
  forwarder: Forwarder,
): Promise<Pick<Query & Reply, 'answers' | 'code'> | undefined> {
  if (name.toLowerCase().endsWith(`.${clusterDomain}`)) {
    const result = lookUp(name, type, view);
    // One step only: a chain of such Services may lead in a circle.
    if (result.type !== 'found') return { code: rcode.nameError };
    return { code: rcode.noError, answers: result.answers };
  }
  const recursionDesired = 0x0100;
  try {
    const question = encode({ type: 'query', id: 0, flags: recursionDesired, questions: [{ name, type }] });
    const packet = decode(await forwarder.ask(question, 'tcp'));
    return { code: (packet.flags ?? 0) & 0xf, answers: packet.answers ?? [] };
  } catch {
    // Whether unreachable or unreadable: the asker hears SERVFAIL, and asks again.
    return undefined;
  }
}
