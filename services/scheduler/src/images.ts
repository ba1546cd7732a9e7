import type { Node, Pod } from '@navarch/proto';
import type { Live } from '@navarch/machinery';
import type { NodeScore } from './resource-scores.ts';

/** The bytes of images by their full names. */
export type ImageSizes = ReadonlyMap<string, number>;

const mebibyte = 1024 * 1024;
/** Less than this is pulled soon; what is more for each container makes no difference. Source: kube-scheduler's ImageLocality. */
const bounds = { least: 23 * mebibyte, mostPerContainer: 1_000 * mebibyte };
const most = 100;

/** The images that a node has. */
export function imageSizes({ status }: Live<Node>): ImageSizes {
  return new Map(
    status.images.flatMap(({ names, sizeBytes }) => names.map((name) => [fullImageName(name), Number(sizeBytes)])),
  );
}

/** The images of a Pod's containers, by their full names. */
export function podImages({ spec }: Live<Pod>): readonly string[] {
  return [...spec.initContainers, ...spec.containers].map(({ image }) => fullImageName(image));
}

/**
 * The image's name as runtimes spell it: with its registry, and a tag where there is no digest.
 * Source: https://kubernetes.io/docs/concepts/containers/images/#image-names
 */
export function fullImageName(name: string): string {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const hasRegistry = /[.:]/.test(first) || first === 'localhost';
  const path = hasRegistry ? name : `docker.io/${slash < 0 ? 'library/' : ''}${name}`;
  const tagged = path.includes('@') || path.lastIndexOf(':') > path.lastIndexOf('/');
  return tagged ? path : `${path}:latest`;
}

/** On how many of the nodes each image is. */
export class ImageSpread {
  readonly #nodes = new Map<string, number>();
  #total = 0;

  /** A node comes (by = 1) or goes (by = -1). */
  count(images: ImageSizes, by: 1 | -1): void {
    this.#total += by;
    for (const name of images.keys()) {
      const nodes = (this.#nodes.get(name) ?? 0) + by;
      if (nodes === 0) this.#nodes.delete(name);
      else this.#nodes.set(name, nodes);
    }
  }

  /** Equal while what is said of these images, and of nodes that don't change, stays the same. */
  keyOf(images: readonly string[]): string {
    if (!images.some((name) => this.#nodes.has(name))) return '';
    return JSON.stringify([this.#total, images.map((name) => [name, this.#nodes.get(name) ?? 0])]);
  }

  /**
   * How much of what the Pod needs is on a node already, in points from 0 to 100. An image counts by its size and by how many nodes
   * have it, so that one node alone that has it does not draw all. Undefined where no node has any of them.
   */
  score(images: readonly string[]): NodeScore | undefined {
    const known = images.filter((name) => this.#nodes.has(name));
    if (known.length === 0) return undefined;
    const highest = bounds.mostPerContainer * images.length;
    return (node) => {
      let sum = 0;
      for (const name of known) {
        const share = (this.#nodes.get(name) ?? 0) / this.#total;
        sum += Math.floor((node.images.get(name) ?? 0) * share);
      }
      const bounded = Math.min(Math.max(sum, bounds.least), highest);
      return Math.floor((most * (bounded - bounds.least)) / (highest - bounds.least));
    };
  }
}
