import { type FieldError, formatProblem, jsonPath, structuralErrors } from '@navarch/machinery';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '@navarch/proto';
import { defaultErrors } from './default-rules.ts';

/** What a definition must say beyond what its contract demands of single fields. */
export function validateDefinition({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  if (spec === undefined) return [];
  const errors: FieldError[] = [...nameErrors(spec), ...versionErrors(spec)];
  const name = `${spec.names?.plural ?? ''}.${spec.group}`;
  if (metadata?.name !== name) {
    errors.push({ path: 'metadata.name', message: `must be the plural and the group, ${name}` });
  }
  if (!spec.group.includes('.')) {
    errors.push({ path: 'spec.group', message: 'must be a domain with a dot, such as example.com' });
  }
  if (spec.preserveUnknownFields === true) {
    const message = 'must not be true; say x-kubernetes-preserve-unknown-fields in the schema where fields are open';
    errors.push({ path: 'spec.preserveUnknownFields', message });
  }
  for (const [index, version] of spec.versions.entries()) errors.push(...oneVersion(version, index));
  return errors;
}

/** Objects may be kept in every version that ever was the storage version: none of them may go. */
export function validateDefinitionUpdate(
  { spec: next, status }: CustomResourceDefinition,
  { spec: previous }: CustomResourceDefinition,
): FieldError[] {
  if (next === undefined || previous === undefined) return [];
  const errors: FieldError[] = [];
  for (const name of status?.storedVersions ?? []) {
    if (next.versions.some((version) => version.name === name)) continue;
    errors.push({
      path: 'spec.versions',
      message: `must keep ${name}: objects may be stored in it, says status.storedVersions`,
    });
  }
  return errors;
}

function nameErrors({ names }: CustomResourceDefinitionSpec): FieldError[] {
  if (names === undefined) return [];
  const errors: FieldError[] = [];
  // Not by the contract: the names of a status that are not accepted are empty.
  for (const field of ['plural', 'kind'] as const) {
    if (names[field] === '') errors.push({ path: `spec.names.${field}`, message: 'must be set' });
  }
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const name = names[field];
    const problem = name === '' ? undefined : formatProblem('DNS_LABEL_1035', name.toLowerCase());
    if (problem !== undefined) errors.push({ path: `spec.names.${field}`, message: problem });
  }
  if (names.kind !== '' && names.kind === names.listKind) {
    errors.push({ path: 'spec.names.listKind', message: 'must differ from kind' });
  }
  return errors;
}

function versionErrors({ versions }: CustomResourceDefinitionSpec): FieldError[] {
  const errors: FieldError[] = [];
  const stored = versions.filter(({ storage }) => storage).length;
  if (versions.length > 0 && stored !== 1) {
    const message = `exactly one version must have storage: true; ${stored === 0 ? 'none has' : `${stored} have`}`;
    errors.push({ path: 'spec.versions', message });
  }
  const seen = new Set<string>();
  for (const [index, { name }] of versions.entries()) {
    if (seen.has(name)) errors.push({ path: `spec.versions[${index}].name`, message: `stands there twice: ${name}` });
    seen.add(name);
  }
  return errors;
}

function oneVersion(version: CustomResourceDefinitionVersion, index: number): FieldError[] {
  const at = ['spec', 'versions', index];
  const text = `spec.versions[${index}]`;
  const errors: FieldError[] = [];
  const schema = version.schema?.openApiV3Schema;
  if (version.schema !== undefined && schema !== undefined) {
    const wrong = structuralErrors(schema, [...at, 'schema', 'openAPIV3Schema']);
    errors.push(...wrong);
    if (wrong.length === 0) errors.push(...defaultErrors(schema, [...at, 'schema', 'openAPIV3Schema']));
  }
  if (version.deprecationWarning !== undefined && !version.deprecated) {
    errors.push({ path: `${text}.deprecationWarning`, message: 'needs deprecated: true' });
  }
  for (const [column, { jsonPath: path }] of version.additionalPrinterColumns.entries()) {
    if (path !== '' && jsonPath(path) === undefined) {
      errors.push({ path: `${text}.additionalPrinterColumns[${column}].jsonPath`, message: pathProblem(path) });
    }
  }
  for (const [field, { jsonPath: path }] of version.selectableFields.entries()) {
    if (/^(\.[A-Za-z_][A-Za-z0-9_-]*)+$/.test(path) && !/^\.metadata(\.|$)/.test(path)) continue;
    const message = `"${path}" must be a path of fields outside of metadata, such as .spec.color`;
    errors.push({ path: `${text}.selectableFields[${field}].jsonPath`, message });
  }
  return [...errors, ...scaleErrors(version, text)];
}

function scaleErrors({ subresources }: CustomResourceDefinitionVersion, text: string): FieldError[] {
  const { scale } = subresources ?? {};
  if (scale === undefined) return [];
  const fields = [
    ['specReplicasPath', scale.specReplicasPath, /^\.spec(\.[A-Za-z_][A-Za-z0-9_-]*)+$/, '.spec'],
    ['statusReplicasPath', scale.statusReplicasPath, /^\.status(\.[A-Za-z_][A-Za-z0-9_-]*)+$/, '.status'],
    [
      'labelSelectorPath',
      scale.labelSelectorPath ?? '.status.selector',
      /^\.(spec|status)(\.[A-Za-z_][A-Za-z0-9_-]*)+$/,
      '.status or .spec',
    ],
  ] as const;
  return fields.flatMap(([name, path, form, below]) => {
    if (path === '' || form.test(path)) return [];
    return [
      { path: `${text}.subresources.scale.${name}`, message: `"${path}" must be a path of fields below ${below}` },
    ];
  });
}

function pathProblem(path: string): string {
  return `"${path}" must be a path such as .spec.size, .spec.items[0].name or .status.conditions[?(@.type=="Ready")].status`;
}
