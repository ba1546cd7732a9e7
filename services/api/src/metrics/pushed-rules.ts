import { ApiError, type FieldError, formatPath, formatProblem, parseQuantity } from '@navarch/machinery';
import type { PushedMetric } from '@navarch/proto';

const most = 1_000;
const mostLabels = 16;
const longestName = 253;
const longestTtlMs = 600_000n;

/** Throws BadRequest or Invalid that says which of the values is wrong, and how. */
export function checkMetrics(metrics: readonly PushedMetric[], isNamespace: (name: string) => boolean): void {
  if (metrics.length === 0) throw new ApiError('BadRequest', 'metrics must hold at least one value');
  if (metrics.length > most) {
    throw new ApiError('BadRequest', `at most ${most} metrics can be pushed at once, not ${metrics.length}`);
  }
  const fields = metrics.flatMap((metric, index) => problems(metric, `metrics[${index}]`, isNamespace));
  const [first] = fields;
  if (first === undefined) return;
  throw new ApiError('Invalid', `the metrics are invalid: ${first.path}: ${first.message}`, { fields });
}

function problems(metric: PushedMetric, path: string, isNamespace: (name: string) => boolean): FieldError[] {
  const { namespace, name, object, labels, value, ttlMs, time } = metric;
  const found: (FieldError | undefined)[] = [
    isNamespace(namespace) ? undefined : { path: `${path}.namespace`, message: `there is no namespace "${namespace}"` },
    nameProblem(name, `${path}.name`),
    parseQuantity(value) === undefined
      ? { path: `${path}.value`, message: `"${value}" must be a quantity such as 12, 1500m or 2k` }
      : undefined,
    ttlMs < 0n || ttlMs > longestTtlMs
      ? { path: `${path}.ttlMs`, message: `must be 0 to ${longestTtlMs}, not ${ttlMs}` }
      : undefined,
    time !== '' ? problem('TIME', time, `${path}.time`) : undefined,
    Object.keys(labels).length > mostLabels
      ? { path: `${path}.labels`, message: `must have at most ${mostLabels} labels` }
      : undefined,
  ];
  for (const [key, text] of Object.entries(labels)) {
    const at = `${path}.${formatPath(['labels', key])}`;
    found.push(problem('QUALIFIED_NAME', key, at), problem('LABEL_VALUE', text, at));
  }
  if (object !== undefined) {
    found.push(nameProblem(object.kind, `${path}.object.kind`), nameProblem(object.name, `${path}.object.name`));
    if (object.apiVersion.length > longestName) {
      found.push({ path: `${path}.object.apiVersion`, message: `must have at most ${longestName} characters` });
    }
  }
  return found.filter((each) => each !== undefined);
}

function nameProblem(name: string, path: string): FieldError | undefined {
  if (name === '') return { path, message: 'must be set' };
  return name.length > longestName ? { path, message: `must have at most ${longestName} characters` } : undefined;
}

function problem(
  format: 'TIME' | 'QUALIFIED_NAME' | 'LABEL_VALUE',
  text: string,
  path: string,
): FieldError | undefined {
  const message = formatProblem(format, text);
  return message === undefined ? undefined : { path, message };
}
