import { type KindDefinition, manifest } from '@navarch/kinds';
import type { JsonObject, KubeObject } from '@navarch/machinery';
import { objectName } from '../resource-args.ts';
import { UserError } from '../session.ts';

/** One container of a manifest. */
export interface ContainerOf {
  readonly name: string;
  readonly isInit: boolean;
  readonly json: JsonObject;
}

/** Where a kind that has containers keeps their Pod's spec: those of Pods, of workloads, of what makes workloads. */
const places: readonly (readonly string[])[] = [
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ['spec', 'template', 'spec'],
  ['spec'],
];

/** The containers of an object, and a patch of it around one of its Pod's spec. Throws UserError where there are none. */
export function podSpecOf(kind: KindDefinition, object: KubeObject) {
  const json = manifest(kind, object);
  for (const place of places) {
    const spec = place.reduce<unknown>((value, step) => (value as JsonObject | undefined)?.[step], json); // as deep as it goes
    const { containers, initContainers } = (spec ?? {}) as Record<string, JsonObject[] | undefined>; // a message in the contract
    if (containers === undefined) continue;
    return {
      containers: [
        ...(initContainers ?? []).map((json) => containerOf(json, true)),
        ...containers.map((json) => containerOf(json, false)),
      ],
      patchOf: (patch: JsonObject) => place.reduceRight<JsonObject>((inner, step) => ({ [step]: inner }), patch),
    };
  }
  throw new UserError(`${objectName(kind, object.metadata?.name ?? '')} has no containers; Pods and workloads do`);
}

function containerOf(json: JsonObject, isInit: boolean): ContainerOf {
  return { name: json['name'] as string, isInit, json }; // every container has one
}

/** Whether a name on the command line, with * for any letters, means a container. */
export function nameMatches(pattern: string, name: string): boolean {
  const source = pattern.split('*').map((part) => part.replaceAll(/[^\w-]/g, String.raw`\$&`));
  return new RegExp(`^${source.join('.*')}$`).test(name);
}
