import { badRequest } from '../http/status.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The JSON of messages that is not that of their fields; undefined for nothing. Source: the MarshalJSON functions of
 * k8s.io/apimachinery.
 */
export function ownForm(type: string, message: Fields): unknown {
  switch (type) {
    case 'meta.v1.Time':
      return timeText(message, 0);
    case 'meta.v1.MicroTime':
      return timeText(message, 6);
    case 'meta.v1.Duration':
      return `${Number(message['duration'] ?? 0) / 1e9}s`;
    case 'resource.Quantity':
      return message['string'] ?? '0';
    case 'intstr.IntOrString':
      return message['type'] === 1 ? (message['strVal'] ?? '') : (message['intVal'] ?? 0);
    case 'meta.v1.FieldsV1':
      return jsonOf(message['Raw']);
    case 'runtime.RawExtension':
      return jsonOf(message['raw']);
    case 'authentication.v1.ExtraValue':
    case 'authorization.v1.ExtraValue':
    case 'meta.v1.Verbs':
      return message['items'] ?? [];
    default:
      return message;
  }
}

function timeText(
  { seconds = 0, nanos = 0 }: { readonly seconds?: unknown; readonly nanos?: unknown },
  digits: number,
) {
  if (seconds === 0 && nanos === 0) return undefined;
  const time = new Date(Number(seconds) * 1000);
  if (Number.isNaN(time.getTime())) throw badRequest('the body of the request holds a time that is none');
  const text = time.toISOString().slice(0, 19);
  return digits === 0 ? `${text}Z` : `${text}.${String(nanos).padStart(9, '0').slice(0, digits)}Z`;
}

/** Bytes have been made base64, as JSON has them. */
function jsonOf(base64: unknown): unknown {
  if (typeof base64 !== 'string' || base64 === '') return undefined;
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    throw badRequest('the body of the request holds JSON that is not valid');
  }
}
