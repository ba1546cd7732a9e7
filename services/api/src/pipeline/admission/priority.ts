import { pod as podKind, priorityClass as priorityClassKind, systemPriorities } from '@navarch/kinds';
import type { Pod, PodSpec, PriorityClass } from '@navarch/proto';
import { withFields } from '../shared-specs.ts';
import type { View } from '../write.ts';
import { forbidden } from './forbidden.ts';
import type { Link } from './link.ts';

const usualPolicy = 'PreemptLowerPriority';

interface Class {
  readonly name: string;
  readonly priority: number;
  readonly preemptionPolicy: string;
}

/**
 * A Pod gets the number and the policy of its priority class when it is made, and keeps them. Source:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export const priority: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }) => {
    if (kind.case !== podKind.case) return undefined;
    const { spec } = next as Pod; // the kind says what it is
    if (spec === undefined) return undefined;
    if (previous !== undefined) {
      next.spec = kept(spec, (previous.object as Pod).spec);
      return undefined;
    }
    const chosen = classOf(view, spec);
    if (chosen === undefined) {
      throw forbidden(
        next,
        podKind,
        `there is no PriorityClass "${spec.priorityClassName}"; navctl get priorityclasses shows those that there are`,
      );
    }
    if (spec.priority !== undefined && spec.priority !== chosen.priority) {
      throw forbidden(next, podKind, contradiction('priority', spec.priority, chosen.priority, chosen));
    }
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== chosen.preemptionPolicy) {
      const { preemptionPolicy } = chosen;
      throw forbidden(
        next,
        podKind,
        contradiction('preemptionPolicy', spec.preemptionPolicy, preemptionPolicy, chosen),
      );
    }
    const { name: priorityClassName, priority, preemptionPolicy } = chosen;
    next.spec = withFields(spec, { priorityClassName, priority, preemptionPolicy });
    return undefined;
  },
};

/** A manifest doesn't say what the api has set. */
function kept(spec: PodSpec, before: PodSpec | undefined): PodSpec {
  return {
    ...spec,
    priorityClassName: spec.priorityClassName || (before?.priorityClassName ?? ''),
    priority: spec.priority ?? before?.priority,
    preemptionPolicy: spec.preemptionPolicy ?? before?.preemptionPolicy,
  };
}

/** Undefined when the class that the Pod names isn't there. */
function classOf(view: View, { priorityClassName: name }: PodSpec): Class | undefined {
  if (name === '') return defaultClass(view);
  const builtIn = systemPriorities[name];
  if (builtIn !== undefined) return { name, priority: builtIn, preemptionPolicy: usualPolicy };
  const cached = view.get(priorityClassKind, '', name);
  return cached === undefined ? undefined : read(cached.object as PriorityClass); // the kind's message
}

/** Of several defaults the one with the smallest value, so that a second one can't raise everybody. */
function defaultClass(view: View): Class {
  const classes = Array.from(view.list(priorityClassKind), ({ object }) => object as PriorityClass); // the kind's message
  const [smallest] = classes.filter(({ globalDefault }) => globalDefault).sort((a, b) => a.value - b.value);
  return smallest === undefined ? { name: '', priority: 0, preemptionPolicy: usualPolicy } : read(smallest);
}

function read({ metadata, value, preemptionPolicy = usualPolicy }: PriorityClass): Class {
  return { name: metadata?.name ?? '', priority: value, preemptionPolicy };
}

function contradiction(field: string, stated: unknown, right: unknown, { name }: Class): string {
  const from = name === '' ? 'Pods without a priority class get' : `the priority class "${name}" gives`;
  return `spec.${field} must not be ${String(stated)}: ${from} ${String(right)}; leave it out`;
}
