import { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { decodeObject } from './decode.ts';
import { encodeObject } from './encode.ts';
import { messageSchema } from './schema.ts';

const schema = messageSchema(Pod.$type);
const decode = (json: unknown) => decodeObject<Pod>(schema, json);

describe('decodeObject', () => {
  test('gives what the generated decoder gives', () => {
    const json = {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: { containers: [{ name: 'a', image: 'x' }] },
    };
    const { value, errors } = decode(json);
    expect(errors).toEqual([]);
    expect(value).toEqual(Pod.decode(Pod.encode(Pod.fromPartial(json)).finish()));
  });

  test.each<[unknown, string, string]>([
    [{ spec: { containers: [{ imagee: 'x' }] } }, 'spec.containers[0].imagee', 'did you mean "image"?'],
    [{ spec: { zzz: 1 } }, 'spec.zzz', 'unknown field; PodSpec has volumes, initContainers'],
    [{ metadata: [] }, 'metadata', 'must be an object, not a list'],
    [{ metadata: { name: 5 } }, 'metadata.name', 'write "5"'],
    [{ metadata: { labels: { a: true } } }, 'metadata.labels.a', 'write "true"'],
    [{ metadata: { labels: 'a' } }, 'metadata.labels', 'must be an object of names and values'],
    [{ spec: { containers: {} } }, 'spec.containers', 'must be a list, not an object'],
    [{ spec: { containers: [null] } }, 'spec.containers[0]', 'must not be null'],
    [{ spec: { hostNetwork: 'true' } }, 'spec.hostNetwork', 'must be true or false, not "true"'],
    [{ spec: { terminationGracePeriodSeconds: 1.5 } }, 'spec.terminationGracePeriodSeconds', 'must be a whole number'],
    [{ spec: { terminationGracePeriodSeconds: 2 ** 31 } }, 'spec.terminationGracePeriodSeconds', '2147483647'],
    [{ spec: { terminationGracePeriodSeconds: '30' } }, 'spec.terminationGracePeriodSeconds', 'not "30"'],
    [
      { spec: { containers: [{ livenessProbe: { httpGet: { port: 1.5 } } }] } },
      'spec.containers[0].livenessProbe.httpGet.port',
      'must be a whole number or text',
    ],
    ['x', '', 'must be an object, not a string'],
  ])('%j', (json, path, message) => {
    const { errors } = decode(json);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ path, message: expect.stringContaining(message) as string });
  });

  test('null is absent', () => {
    expect(decode({ metadata: null, spec: { restartPolicy: null, containers: null } })).toMatchObject({
      errors: [],
      value: { metadata: undefined, spec: { restartPolicy: undefined, containers: [] } },
    });
  });

  test('bytes are base64, and what is not is never repeated', () => {
    const secret = messageSchema('navarch.core.v1.Secret');
    const read = (data: unknown) => decodeObject<{ data: Record<string, Uint8Array> }>(secret, { data: { k: data } });
    expect(Buffer.from(read('aGVs\nbG8=').value.data['k'] ?? []).toString()).toBe('hello');
    const { errors } = read('hunter2!');
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test('a field that every object inherits is unknown', () => {
    expect(decode(JSON.parse('{"__proto__": {"name": "x"}}')).errors).toHaveLength(1);
    expect(decode({ constructor: {} }).errors).toHaveLength(1);
  });
});

describe('encodeObject', () => {
  test('leaves out what is empty, keeps what means something', () => {
    const pod = Pod.fromPartial({
      metadata: { name: 'web', labels: {} },
      spec: { terminationGracePeriodSeconds: 0, volumes: [{ name: 'v', emptyDir: {} }], containers: [] },
    });
    expect(encodeObject(schema, pod)).toEqual({
      metadata: { name: 'web' },
      spec: { volumes: [{ name: 'v', emptyDir: {} }], terminationGracePeriodSeconds: 0 },
    });
  });

  test("spells names as Kubernetes does, in the contract's order", () => {
    const pod = Pod.fromPartial({ status: { podIp: '10.0.0.1', hostIp: '10.0.0.2', phase: 'Running' } });
    expect(JSON.stringify(encodeObject(schema, pod))).toBe(
      '{"status":{"phase":"Running","hostIP":"10.0.0.2","podIP":"10.0.0.1"}}',
    );
  });
});
