import type { KindDefinition } from '@navarch/kinds';
import type { FieldSchema, MessageSchema } from '@navarch/machinery';

export type Schema = Readonly<Record<string, unknown>>;

/** The two dialects: OpenAPI 2.0 and 3.0. */
export type Dialect = 'v2' | 'v3';

/**
 * Schemas of kinds, from what the contract says of their messages. Messages are named as Kubernetes names its own, so that tools
 * which look for one find it. Source of the extensions: the Kubernetes API reference on OpenAPI, and structured-merge-diff.
 */
export class Schemas {
  readonly #dialect: Dialect;
  readonly #refPrefix: string;
  readonly #all = new Map<string, Schema>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#refPrefix = dialect === 'v2' ? '#/definitions/' : '#/components/schemas/';
  }

  get all(): Readonly<Record<string, Schema>> {
    return Object.fromEntries([...this.#all].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Adds a kind and its list, and all that they hold. Returns references to both. */
  addKind(kind: KindDefinition): { one: Schema; list: Schema } {
    const name = kindName(kind);
    this.#all.set(name, {
      ...this.#message(kind.schema, typeFields, kind.schema.own !== undefined),
      'x-kubernetes-group-version-kind': [gvk(kind)],
    });
    const listName = `${name}List`;
    this.#all.set(listName, {
      description: `A list of ${kind.kind} objects.`,
      type: 'object',
      required: ['items'],
      properties: {
        ...typeFields,
        items: { type: 'array', items: this.#ref(name) },
        metadata: this.addNamed(listMetaName, listMeta),
      },
      'x-kubernetes-group-version-kind': [{ ...gvk(kind), kind: `${kind.kind}List` }],
    });
    return { one: this.#ref(name), list: this.#ref(listName) };
  }

  /** Adds a schema that is written out. Returns a reference. */
  addNamed(name: string, schema: Schema): Schema {
    this.#all.set(name, schema);
    return this.#ref(name);
  }

  /** The reference to a message, which is added. */
  addMessage(schema: MessageSchema): Schema {
    const name = messageName(schema.typeName);
    if (!this.#all.has(name)) {
      this.#all.set(name, {}); // messages may hold themselves
      this.#all.set(name, this.#message(schema, {}, false));
    }
    return this.#ref(name);
  }

  #ref(name: string): Schema {
    return { $ref: this.#refPrefix + name };
  }

  /** `inline`: messages of a custom kind have no names of their own. */
  #message(schema: MessageSchema, before: Schema, inline: boolean): Schema {
    const fields = schema.fields.map((field) => [field.jsonName, this.#field(field, inline)] as const);
    const required = schema.fields.filter(({ rules }) => rules.required).map(({ jsonName }) => jsonName);
    return {
      ...(schema.comment !== '' && { description: schema.comment }),
      type: 'object',
      ...(required.length > 0 && { required }),
      properties: { ...before, ...Object.fromEntries(fields) },
    };
  }

  #field(field: FieldSchema, inline: boolean): Schema {
    const { cardinality, comment, rules } = field;
    const said = {
      ...(comment !== '' && { description: comment }),
      ...(rules.default !== undefined && { default: rules.default }),
      ...(rules.atomic && cardinality !== 'list' && { 'x-kubernetes-map-type': 'atomic' }),
    };
    if (cardinality === 'list')
      return { ...said, type: 'array', items: this.#value(field, inline), ...listRules(field) };
    if (cardinality === 'map') return { ...said, type: 'object', additionalProperties: this.#value(field, inline) };
    const value = this.#value(field, inline);
    // A reference stands alone in OpenAPI 3.0.
    return '$ref' in value && this.#dialect === 'v3' && Object.keys(said).length > 0
      ? { ...said, allOf: [value] }
      : { ...said, ...value };
  }

  #value(field: FieldSchema, inline: boolean): Schema {
    const { type, message, rules } = field;
    if (message !== undefined) {
      const isMetadata = message.typeName.startsWith('navarch.');
      return inline && !isMetadata ? this.#message(message, {}, true) : this.addMessage(message);
    }
    if (rules.format === 'QUANTITY') return this.#oneOf('string', 'number');
    if (type === 'value') {
      if (rules.format === undefined) return this.#dialect === 'v2' ? { type: 'object' } : {};
      return { ...this.#oneOf('integer', 'string'), format: 'int-or-string', 'x-kubernetes-int-or-string': true };
    }
    const allowed = rules.allowed.filter((text) => text !== '');
    return {
      ...scalars[type as keyof typeof scalars], // neither a message nor a value, by the tests above
      ...(rules.format === 'TIME' && { format: 'date-time' }),
      ...(allowed.length > 0 && { enum: allowed }),
    };
  }

  #oneOf(...types: string[]): Schema {
    return this.#dialect === 'v2' ? { type: 'string' } : { oneOf: types.map((type) => ({ type })) };
  }
}

const scalars = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
} as const satisfies Record<string, Schema>;

/** How items are told apart: for strategic merge patches, and for server-side apply. */
function listRules({ rules: { mergeKey, listKeys, atomic, set } }: FieldSchema): Schema {
  if (atomic) return { 'x-kubernetes-list-type': 'atomic' };
  if (set) return { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' };
  if (mergeKey === undefined) return listKeys.length > 0 ? keyed(listKeys) : { 'x-kubernetes-list-type': 'atomic' };
  return { ...keyed(listKeys), 'x-kubernetes-patch-merge-key': mergeKey, 'x-kubernetes-patch-strategy': 'merge' };
}

const keyed = (keys: readonly string[]): Schema => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

export const typeFields = {
  apiVersion: { description: 'Group and version of the kind.', type: 'string' },
  kind: { description: 'The kind.', type: 'string' },
} as const satisfies Record<string, Schema>;

export const listMetaName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
export const listMeta: Schema = {
  description: 'What a list says of itself.',
  type: 'object',
  properties: {
    continue: { description: 'Send this to go on; absent at the end.', type: 'string' },
    remainingItemCount: { description: 'How many follow, where that is known.', type: 'integer', format: 'int64' },
    resourceVersion: { description: 'The revision at which the list was read: watch after it.', type: 'string' },
    selfLink: { type: 'string' },
  },
};

export const gvk = ({ group, version, kind }: Pick<KindDefinition, 'group' | 'version' | 'kind'>) => ({
  group,
  kind,
  version,
});

/** navarch.core.v1.PodSpec is io.k8s.api.core.v1.PodSpec; a custom kind's name is its group backwards, as an apiserver has it. */
function messageName(typeName: string): string {
  if (typeName.startsWith('navarch.meta.'))
    return typeName.replace('navarch.meta.', 'io.k8s.apimachinery.pkg.apis.meta.');
  return typeName.replace(/^navarch\./, 'io.k8s.api.');
}

function kindName({ group, version, kind, custom, schema }: KindDefinition): string {
  if (custom === undefined) return messageName(schema.typeName);
  return [...group.split('.').toReversed(), version, kind].join('.');
}
