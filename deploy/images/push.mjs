import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobPath } from './oci.mjs';

/**
 * Pushes every image of an OCI layout to a registry, sending only what it lacks.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push
 * @param {string} layout
 * @param {string} address host:port, plain HTTP
 */
export async function pushLayout(layout, address) {
  const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
  for (const { digest, mediaType, annotations } of manifests) {
    const [repository, tag] = annotations['org.opencontainers.image.ref.name'].split(':');
    const base = `http://${address}/v2/${repository}`;
    const manifest = await readFile(blobPath(layout, digest));
    const { config, layers } = JSON.parse(manifest.toString());
    for (const part of [config, ...layers]) await pushBlob(base, part.digest, layout);
    const headers = { 'content-type': mediaType };
    await expectOk(await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers, body: new Uint8Array(manifest) }));
  }
}

/** @param {string} base @param {string} digest @param {string} layout */
async function pushBlob(base, digest, layout) {
  const there = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
  if (there.ok) return;
  const upload = await expectOk(await fetch(`${base}/blobs/uploads/`, { method: 'POST' }));
  const target = new URL(upload.headers.get('location') ?? '', base);
  target.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const body = new Uint8Array(await readFile(blobPath(layout, digest)));
  await expectOk(await fetch(target, { method: 'PUT', headers, body }));
}

/** @param {Response} response */
async function expectOk(response) {
  if (response.ok) return response;
  throw new Error(`registry answered ${response.status} for ${response.url}: ${await response.text()}`);
}
