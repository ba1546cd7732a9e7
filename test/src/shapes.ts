/** What these tests read of `-o json`: the manifest's JSON, as far as they look. */
export interface List<T> {
  readonly items: readonly T[];
}

export interface Meta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
}

export interface PodJson {
  readonly metadata: Meta;
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly restartCount?: number;
      readonly ready?: boolean;
      readonly state?: { readonly waiting?: { readonly reason?: string } };
    }[];
  };
}

export interface NodeJson {
  readonly metadata: Meta;
  readonly spec?: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] };
}

export interface ServiceJson {
  readonly metadata: Meta;
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly nodePort?: number }[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip: string }[] } };
}

export interface DeploymentJson {
  readonly metadata: Meta & { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly replicas?: number;
  };
}

export interface AutoscalerJson {
  readonly metadata: Meta;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  };
}

export const isReady = (pod: PodJson): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

export const containerIds = (pods: readonly PodJson[]): string[] =>
  pods.flatMap((pod) => pod.status?.containerStatuses?.map(({ containerID }) => containerID ?? '') ?? []).sort();
