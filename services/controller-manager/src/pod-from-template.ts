import type { KindDefinition } from '@navarch/kinds';
import { ObjectMeta, type Pod, type PodTemplateSpec } from '@navarch/proto';
import { controllerReference } from './ownership.ts';

/** What a Pod has that its template doesn't say; labels, annotations and finalizers are added to the template's. */
export interface PodOwn {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** A Pod as the template says, managed by `owner`. Its spec is a copy that the caller may change. */
export function podFromTemplate(
  kind: KindDefinition,
  owner: { readonly metadata: ObjectMeta },
  template: PodTemplateSpec | undefined,
  own: PodOwn,
): Pod {
  const { labels = {}, annotations = {}, finalizers = [] } = template?.metadata ?? {};
  const metadata = ObjectMeta.create({
    name: own.name,
    namespace: owner.metadata.namespace,
    labels: { ...labels, ...own.labels },
    annotations: { ...annotations, ...own.annotations },
    finalizers: [...finalizers, ...(own.finalizers ?? [])],
    ownerReferences: [controllerReference(kind, owner)],
  });
  return { metadata, spec: structuredClone(template?.spec), status: undefined };
}
