import { CreateRequest, Pod, Resource, TransactRequest } from '@navarch/proto';
import { NumberedTemplate, placeholder } from './numbered-template.ts';

/** Writes of one Transact, and nested transactions of one raw transaction. */
export const batchSize = 100;

/** What is kept of each Pod: with the api's own part of its metadata, and defaults. */
export const storedPodBytes = 1024;

/** A Pod as people write them, of about 1 KB once it is stored. */
const manifest = {
  metadata: {
    name: `web-7c9d8b6f5d-${placeholder}`,
    namespace: 'default',
    labels: {
      'app.kubernetes.io/name': 'web',
      'app.kubernetes.io/part-of': 'shop',
      'app.kubernetes.io/version': '1.27.3',
      'pod-template-hash': '7c9d8b6f5d',
    },
    annotations: {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8080',
      'example.com/change': 'CHG-2041-resize-cache',
    },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web-7c9d8b6f5d',
        uid: '0e1f6c1c-8a57-4c0e-9d0b-7f2a5ad1c3b2',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'registry.example.com/shop/web:1.27.3',
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'DATABASE_HOST', value: 'postgres.shop.svc.cluster.local' },
          { name: 'DATABASE_NAME', value: 'shop' },
          { name: 'CACHE_HOST', value: 'redis.shop.svc.cluster.local' },
          { name: 'LOG_FORMAT', value: 'json' },
          { name: 'PUBLIC_ADDRESS', value: 'https://shop.example.com/checkout' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/web', readOnly: true },
          { name: 'cache', mountPath: '/var/cache/web' },
        ],
        livenessProbe: { httpGet: { path: '/livez', port: 'http' }, initialDelaySeconds: 10 },
        readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 5 },
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'web' } },
      { name: 'cache', emptyDir: {} },
    ],
    terminationGracePeriodSeconds: 30,
  },
};

/** The Pod, with the placeholder in its name. */
export const pod: Resource = Resource.fromPartial({ object: { $case: 'pod', value: Pod.fromJSON(manifest) } });

/** A CreateRequest with one Pod. */
export const createPod = (): NumberedTemplate =>
  new NumberedTemplate(CreateRequest.encode(CreateRequest.fromPartial({ resource: pod })).finish(), 1);

/** A TransactRequest with a batch of Pods, each on its own. */
export const createPods = (): NumberedTemplate => {
  const writes = Array.from({ length: batchSize }, () => ({ write: { $case: 'create' as const, value: pod } }));
  return new NumberedTemplate(TransactRequest.encode(TransactRequest.fromPartial({ writes })).finish(), 1);
};
