import { type FieldError, type KubeObject, type MessageSchema, messageSchema } from '@navarch/machinery';
import type { Resource } from '@navarch/proto';
import type { CustomOrigin } from './custom/kinds.ts';

/** The name of a kind's field in the oneof of Resource: 'pod', 'replicaSet'. */
export type ResourceCase = Exclude<NonNullable<Resource['object']>['$case'], 'partial'>;

/** The message type of a kind. */
export type ObjectOf<C extends ResourceCase> = Extract<NonNullable<Resource['object']>, { $case: C }>['value'];

/** What ts-proto makes for a message, as far as it is used here. */
export interface MessageCodec<T> {
  readonly $type: string;
  encode(message: T): { finish(): Uint8Array };
  decode(input: Uint8Array): T;
  fromJSON(json: unknown): T;
  toJSON(message: T): unknown;
}

/**
 * All that the api, the clients, the CLI and the docs must know about a kind beyond its schema. Data, and pure functions
 * over one object: nothing here does I/O or reads a clock. Functions are declared as methods, so that a KindDefinition<Pod>
 * can be passed where any KindDefinition is wanted.
 */
export interface KindDefinition<T extends KubeObject = KubeObject> {
  /** Field in the oneof of Resource. All custom kinds share one. */
  readonly case: ResourceCase;
  readonly message: MessageCodec<T>;
  /** What is known of its fields: what it is decoded, completed, checked, merged, printed and explained by. */
  readonly schema: MessageSchema;
  /** Where a kind comes from that is not built in. */
  readonly custom?: CustomOrigin;
  /** What is said to those who use it, when nobody should any more. */
  readonly deprecated?: string;
  /** 'Deployment'. */
  readonly kind: string;
  /** 'apps'; '' for the core group. */
  readonly group: string;
  /** 'v1'. */
  readonly version: string;
  /** 'apps/v1', or 'v1' for the core group. As manifests spell it. */
  readonly apiVersion: string;
  /** 'deployments'. */
  readonly plural: string;
  /** 'deployment'. */
  readonly singular: string;
  /** 'deployments.apps', or 'pods' for the core group. As requests spell it. */
  readonly resource: string;
  /** 'apps/deployments', 'core/pods': where its objects are kept. The versions of a kind share one place. */
  readonly place: string;
  readonly shortNames: readonly string[];
  /** 'all' for kinds that `navctl get all` shows. */
  readonly categories: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /** Where objects live: in the store, or for a while in the event stream. */
  readonly storage: 'store' | 'events';
  /** Never put on the event bus, in no history, and never printed in errors or logs. */
  readonly confidential: boolean;
  /** Whether everybody who listens to the bus hears of changes; others ask the api. Never so for what is confidential. */
  readonly onFeed: boolean;
  readonly hasStatus: boolean;
  /** Columns of `navctl get`: NAME, those that are not wide, AGE, the wide ones. */
  readonly columns: readonly Column<T>[];
  /** `columns` is the whole table: NAME and AGE are not added. */
  readonly ownColumns: boolean;
  /** Fields that a field selector may name, beyond metadata.name and metadata.namespace. */
  readonly selectableFields: SelectableFields<T>;
  /** When what the object tells of happened, RFC 3339: kinds that say so can be listed by time. */
  happened?(object: T): { readonly first: string; readonly last: string };
  /** The text field whose value is a further token of the change feed's subject: a Pod's node. As in a manifest. */
  readonly feedField?: string;
  /** Where the numbers of the scale subresource are; undefined for kinds that can't be scaled. */
  readonly scale?: ScalePaths;
  /** The form of the object's name. 'path' is all that can be a part of a path: system:discovery. */
  readonly nameFormat: 'label' | 'label1035' | 'subdomain' | 'path';
  /** Whether deletion waits for somebody to end the object gracefully, and for how many seconds: a Pod on a node. */
  gracePeriodSeconds?(object: T): number;
  /** Says in one way what manifests may say in two, before anything else looks at it. Changes `object`. */
  unify?(object: T): void;
  /** Defaults that depend on more than the field itself. Changes `object`, which is the writer's own copy. */
  complete?(object: T): void;
  /** Rules beyond the schema's. `path`s as in a manifest. */
  validate?(object: T): FieldError[];
  /** `complete` and `validate` look at the spec and nothing else, so what they say of one goes for all equal ones. */
  readonly specAlone: boolean;
  /** Rules about what may change, beyond fields marked immutable. */
  validateUpdate?(next: T, previous: T): FieldError[];
  /** The manifest under examples/ that shows the kind and is applied by a test: 'nginx/pod.yaml'. */
  readonly example: string;
}

/** One column. `wide` columns show with -o wide only. `value` gets the time in ms for ages. */
export interface Column<T> {
  readonly title: string;
  readonly wide?: boolean;
  /** What the cells are: string unless said otherwise. */
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly description?: string;
  value(object: T, now: number): string | number;
}

/** Fields of a manifest, as paths: spec.replicas. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** A LabelSelector, or one written as text. */
  readonly labelSelector?: string;
}

/** A field's path as a selector names it, and how to read it. */
export type SelectableFields<T> = Readonly<Record<string, { read(object: T): string }['read']>>;

/** What a definition file must say; the rest follows from the message, or has a default. */
type KindSpec<C extends ResourceCase> = Pick<
  KindDefinition<ObjectOf<C>>,
  'group' | 'plural' | 'columns' | 'example' | 'feedField' | 'gracePeriodSeconds' | 'scale'
> &
  Partial<
    Pick<
      KindDefinition<ObjectOf<C>>,
      | 'shortNames'
      | 'categories'
      | 'scope'
      | 'storage'
      | 'confidential'
      | 'onFeed'
      | 'ownColumns'
      | 'selectableFields'
      | 'happened'
      | 'nameFormat'
      | 'unify'
      | 'complete'
      | 'validate'
      | 'specAlone'
      | 'validateUpdate'
    >
  >;

/**
 * Makes the definition of the kind that is field `name` of Resource's oneof. Kind and version come from the message's
 * name; objects live in a namespace and in the store unless the spec says otherwise.
 */
export function defineKind<C extends ResourceCase>(
  name: C,
  message: MessageCodec<ObjectOf<C>>,
  spec: KindSpec<C>,
): KindDefinition<ObjectOf<C>> {
  const [version = '', kind = ''] = message.$type.split('.').slice(-2);
  return {
    shortNames: [],
    categories: [],
    scope: 'Namespaced',
    storage: 'store',
    confidential: false,
    onFeed: true,
    ownColumns: false,
    selectableFields: {},
    nameFormat: 'subdomain',
    specAlone: false,
    ...spec,
    case: name,
    message,
    get schema() {
      return messageSchema(message.$type);
    },
    kind,
    version,
    apiVersion: spec.group === '' ? version : `${spec.group}/${version}`,
    singular: kind.toLowerCase(),
    place: `${spec.group === '' ? 'core' : spec.group}/${spec.plural}`,
    resource: spec.group === '' ? spec.plural : `${spec.plural}.${spec.group}`,
    // An empty message of ts-proto has a key for every field that may be absent only as undefined.
    hasStatus: 'status' in (message.fromJSON({}) as object),
  };
}
