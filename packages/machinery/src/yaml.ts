import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type Scalar } from 'yaml';
import { type PathStep, parsePath } from './field-path.ts';

/** A place in a file; the first line and column are 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One document of a file that could be read. */
export interface YamlDocument {
  readonly json: unknown;
  /** Keys stand twice in it, each of which is an error, and the last one counts. */
  readonly hasDuplicates: boolean;
  /** Where a field stands, by its path as errors spell it; where the nearest thing around it begins, if it is not there. */
  locate(path: string): Position;
}

export interface YamlError {
  readonly position: Position;
  readonly message: string;
  /** A key stands twice in one map. The document is there all the same. */
  readonly duplicate?: true;
}

/**
 * Reads YAML or JSON with any number of documents. Empty documents are skipped, and so are those whose syntax is wrong: what
 * is wrong is reported and the rest is still read. Numbers such as 0644 are octal, and merge keys (<<) work, as in the YAML
 * 1.1 that Kubernetes reads; yes and on are texts.
 */
export function readYaml(text: string): { documents: YamlDocument[]; errors: YamlError[] } {
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents: YamlDocument[] = [];
  const errors: YamlError[] = [];
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    customTags: (tags) => [octal, ...tags],
  });
  for (const document of parsed) {
    for (const { code, message, pos } of document.errors) {
      const at = position(pos[0]);
      errors.push(
        code === 'DUPLICATE_KEY' ? { position: at, message: duplicate, duplicate: true } : { position: at, message },
      );
    }
    if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) continue;
    const json = toJson(document, (message) => errors.push({ position: position(startOf(document)), message }));
    if (json === null || json === undefined) continue;
    documents.push({
      json,
      hasDuplicates: document.errors.length > 0,
      locate: (path) => position(find(document, parsePath(path))),
    });
  }
  return { documents, errors };
}

const duplicate = 'this key stands here twice; each key must be unique';

const octal = {
  tag: 'tag:yaml.org,2002:int',
  identify: () => false,
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text: string) => Number.parseInt(text, 8),
} as const;

function toJson(document: Document.Parsed, report: (message: string) => void): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    report(error instanceof Error ? error.message : String(error)); // an alias to nothing, or too many
    return undefined;
  }
}

/** The offset of a field's key, or of a list's item. */
function find(document: Document.Parsed, steps: readonly PathStep[]): number {
  let node: Node | null = document.contents;
  let offset = startOf(document);
  for (const step of steps) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (pair.key as Scalar).range?.[0] ?? offset; // found by being a scalar
      node = pair.value as Node | null; // parsed documents hold nodes
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(document: Document.Parsed): number {
  return document.contents?.range?.[0] ?? document.range[0];
}
