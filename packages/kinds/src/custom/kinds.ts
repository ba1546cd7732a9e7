import { customSchema, type Json, jsonPath, type JsonObject, type MessageSchema } from '@navarch/machinery';
import { CustomObject, type CustomResourceDefinition, type CustomResourceDefinitionVersion } from '@navarch/proto';
import type { KindDefinition, SelectableFields } from '../define-kind.ts';
import { isEstablished } from './accept.ts';
import { customColumns } from './columns.ts';
import { compareVersions } from './version-order.ts';

/** What a custom kind's definition object is. */
export interface CustomOrigin {
  /** The name of the CustomResourceDefinition. */
  readonly definition: string;
  readonly uid: string;
  /** Of the definition's spec: another one may have another schema. */
  readonly generation: number;
  /** The kind as objects are kept, which is this one for one of the versions. */
  readonly stored: boolean;
}

/**
 * The kinds that a definition adds: one for each version that is served, the preferred one first, and the storage version
 * also when it is not served (`served` false). None before its names are accepted.
 */
export function customKinds(
  definition: CustomResourceDefinition,
): readonly { kind: KindDefinition; served: boolean }[] {
  const { spec } = definition;
  if (spec === undefined || !isEstablished(definition)) return [];
  const versions = spec.versions
    .filter(({ served, storage }) => served || storage)
    .toSorted((a, b) => Number(b.served) - Number(a.served) || compareVersions(a.name, b.name));
  return versions.map((version, index) => ({
    kind: versionKind(definition, version, index === 0),
    served: version.served,
  }));
}

function versionKind(
  { metadata, spec, status }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  preferred: boolean,
): KindDefinition {
  const group = spec?.group ?? '';
  const { plural = '', singular = '', shortNames = [], kind = '', categories = [] } = status?.acceptedNames ?? {};
  const apiVersion = `${group}/${version.name}`;
  let schema: MessageSchema | undefined;
  const scale = version.subresources?.scale;
  const definition: KindDefinition<CustomObject> = {
    case: 'custom',
    message: {
      $type: CustomObject.$type,
      encode: (object) => CustomObject.encode(object),
      decode: (bytes) => CustomObject.decode(bytes),
      fromJSON: (json) => ({ ...CustomObject.fromJSON(json), apiVersion, kind }),
      toJSON: (object) => CustomObject.toJSON(object),
    },
    get schema() {
      // An object, by the rules of definitions.
      schema ??= customSchema({ apiVersion, kind, schema: version.schema?.openApiV3Schema as JsonObject });
      return schema;
    },
    custom: {
      definition: metadata?.name ?? '',
      uid: metadata?.uid ?? '',
      generation: metadata?.generation ?? 0,
      stored: version.storage,
    },
    kind,
    group,
    version: version.name,
    apiVersion,
    plural,
    singular,
    place: `${group}/${plural}`,
    resource: preferred ? `${plural}.${group}` : `${plural}.${version.name}.${group}`,
    shortNames,
    categories,
    scope: spec?.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    storage: 'store',
    confidential: false,
    onFeed: true,
    hasStatus: version.subresources?.status !== undefined,
    columns: customColumns(version),
    ownColumns: true,
    selectableFields: selectableFields(version),
    ...(scale && {
      scale: {
        specReplicas: fieldPath(scale.specReplicasPath),
        statusReplicas: fieldPath(scale.statusReplicasPath),
        ...(scale.labelSelectorPath ? { labelSelector: fieldPath(scale.labelSelectorPath) } : {}),
      },
    }),
    ...(version.deprecated && {
      deprecated: version.deprecationWarning ?? `${apiVersion} ${kind} is deprecated`,
    }),
    nameFormat: 'subdomain',
    specAlone: false,
    example: '',
  };
  return definition;
}

function selectableFields({ selectableFields }: CustomResourceDefinitionVersion): SelectableFields<CustomObject> {
  return Object.fromEntries(
    selectableFields.flatMap(({ jsonPath: path }) => {
      const read = jsonPath(path);
      const value = ({ spec, status, other }: CustomObject) => {
        const root: JsonObject = { ...other, spec: (spec ?? null) as Json, status: (status ?? null) as Json }; // google.protobuf.Value
        const [first] = read?.(root) ?? [];
        return first === undefined || first === null
          ? ''
          : typeof first === 'object'
            ? JSON.stringify(first)
            : String(first);
      };
      return [[fieldPath(path), value] as const];
    }),
  );
}

/** '.spec.color' as errors and selectors spell it: 'spec.color'. */
function fieldPath(path: string): string {
  return path.replace(/^\./, '');
}
