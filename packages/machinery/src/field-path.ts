/** A way into a manifest: names of fields and keys of maps as strings, places in lists as numbers. */
export type PathStep = string | number;

/** Spells a path as errors do: `spec.containers[0].image`, `metadata.labels[example.com/tier]`. */
export function formatPath(steps: readonly PathStep[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (plain.test(step)) text += text === '' ? step : `.${step}`;
    else text += /[\]"]/.test(step) || /^\d+$/.test(step) || step === '' ? `[${JSON.stringify(step)}]` : `[${step}]`;
  }
  return text;
}

/** The inverse of formatPath. */
export function parsePath(text: string): PathStep[] {
  const steps: PathStep[] = [];
  const pattern = /\.?([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\[([^\]]*)\]/g;
  for (const [, name, index, quoted, key] of text.matchAll(pattern)) {
    if (name !== undefined) steps.push(name);
    else if (index !== undefined) steps.push(Number(index));
    else steps.push(quoted === undefined ? (key ?? '') : (JSON.parse(quoted) as string)); // the pattern is a JSON string
  }
  return steps;
}

const plain = /^[A-Za-z_$-][A-Za-z0-9_$-]*$/;
