import type { PodSpec } from '@navarch/proto';

export type ConfigKind = 'ConfigMap' | 'Secret';

/** A ConfigMap or Secret that Pods take settings from. */
export interface ConfigReference {
  readonly kind: ConfigKind;
  readonly name: string;
  /** The Pods start without it. */
  readonly optional: boolean;
}

/** Every place in a Pod's spec that names one; an object named twice comes twice. */
export function configReferences(spec: PodSpec | undefined): readonly ConfigReference[] {
  const found: ConfigReference[] = [];
  visit(spec, (reference) => {
    found.push(reference);
    return reference.name;
  });
  return found;
}

/** A copy of `spec` that names others. */
export function withConfigNames(spec: PodSpec, rename: (reference: ConfigReference) => string): PodSpec {
  const copy = structuredClone(spec);
  visit(copy, rename);
  return copy;
}

/** One line for what is referred to: ConfigMap/app. */
export function configKey({ kind, name }: Pick<ConfigReference, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}

interface Named {
  name: string;
  readonly optional: boolean;
}

/** Images are pulled with Secrets, too, but what they hold is no setting. */
function visit(spec: PodSpec | undefined, rename: (reference: ConfigReference) => string): void {
  const see = (kind: ConfigKind, named: Named | undefined) => {
    if (named !== undefined) named.name = rename({ kind, name: named.name, optional: named.optional });
  };
  for (const { env, envFrom } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const { valueFrom } of env) {
      see('ConfigMap', valueFrom?.configMapKeyRef);
      see('Secret', valueFrom?.secretKeyRef);
    }
    for (const { configMapRef, secretRef } of envFrom) {
      see('ConfigMap', configMapRef);
      see('Secret', secretRef);
    }
  }
  for (const { configMap, secret, projected } of spec?.volumes ?? []) {
    see('ConfigMap', configMap);
    for (const source of projected?.sources ?? []) {
      see('ConfigMap', source.configMap);
      see('Secret', source.secret);
    }
    if (secret !== undefined)
      secret.secretName = rename({ kind: 'Secret', name: secret.secretName, optional: secret.optional });
  }
}
