import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { must } from '../local/exec.mjs';

// https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md and config.md
const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};
const architectures = /** @type {Record<string, string>} */ ({ x64: 'amd64', arm64: 'arm64' });

/**
 * @typedef {object} Blob what a registry stores
 * @property {string} digest
 * @property {string} mediaType
 * @property {Buffer} bytes
 */

/** @param {Buffer} bytes */
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
/** @param {string} mediaType @param {Buffer} bytes @returns {Blob} */
const blob = (mediaType, bytes) => ({ digest: digestOf(bytes), mediaType, bytes });
/** @param {Blob} blob */
const descriptor = ({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length });
/** @param {unknown} value */
const json = (value) => Buffer.from(JSON.stringify(value));

/**
 * A root file system as an image layer. The same files give the same bytes: sorted, without times and owners.
 * @param {string} root
 * @param {string} scratch a file to write the tar to
 */
export async function layerOf(root, scratch) {
  const order = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  await must('tar', [...order, '-C', root, '-cf', scratch, '.']);
  const tar = await readFile(scratch);
  return { diffId: digestOf(tar), blob: blob(mediaTypes.layer, gzipSync(tar)) };
}

/**
 * An image of one layer.
 * @param {{ diffId: string, blob: Blob }} layer
 * @param {Record<string, unknown>} config
 * @returns {{ manifest: Blob, blobs: Blob[] }}
 */
export function imageOf(layer, config) {
  const configBlob = blob(
    mediaTypes.config,
    json({
      created: '1970-01-01T00:00:00Z',
      architecture: architectures[process.arch] ?? process.arch,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'deploy/images' }],
    }),
  );
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(configBlob),
    layers: [descriptor(layer.blob)],
  });
  return { manifest: blob(mediaTypes.manifest, manifest), blobs: [configBlob, layer.blob] };
}

/**
 * Images by `repository:tag` in an OCI layout folder (blobs by digest, and one index).
 * @param {string} folder
 * @param {Map<string, { manifest: Blob, blobs: Blob[] }>} images
 */
export async function writeLayout(folder, images) {
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  const manifests = [];
  for (const [name, { manifest, blobs }] of images) {
    for (const { digest, bytes } of [manifest, ...blobs]) await writeFile(blobPath(folder, digest), bytes);
    const annotations = { 'org.opencontainers.image.ref.name': name, 'io.containerd.image.name': fullName(name) };
    manifests.push({ ...descriptor(manifest), annotations });
  }
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

/** With the registry that users expect it from, as `ctr images import` wants it. @param {string} name */
const fullName = (name) => `${name.startsWith('library/') ? 'docker.io' : 'registry.k8s.io'}/${name}`;

/** @param {string} folder @param {string} digest */
export const blobPath = (folder, digest) => join(folder, 'blobs', ...digest.split(':'));
