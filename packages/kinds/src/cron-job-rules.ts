import { type FieldError, parseSchedule, zoneProblem } from '@navarch/machinery';
import type { CronJob, CronJobSpec } from '@navarch/proto';
import { validateJobSpec } from './job-rules.ts';

/** A Job's name is its CronJob's and 11 characters more, and has at most 63. */
export const cronJobNameLimit = 52;

export function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  if (spec === undefined) return [];
  const errors = [...validateSchedule(spec), ...validateJobTemplate(spec)];
  if ((metadata?.name.length ?? 0) > cronJobNameLimit) {
    const message = `must be at most ${cronJobNameLimit} characters: each Job's name is longer by 11`;
    errors.push({ path: 'metadata.name', message });
  }
  return errors;
}

function validateSchedule({ schedule, timeZone = 'UTC' }: CronJobSpec): FieldError[] {
  const wrongZone = zoneProblem(timeZone);
  if (wrongZone !== undefined) return [{ path: 'spec.timeZone', message: wrongZone }];
  if (schedule === '') return [];
  if (/^(?:CRON_)?TZ=/.test(schedule)) {
    return [{ path: 'spec.schedule', message: 'must not name a time zone; set spec.timeZone' }];
  }
  const parsed = parseSchedule(schedule, timeZone);
  return typeof parsed === 'string' ? [{ path: 'spec.schedule', message: parsed }] : [];
}

function validateJobTemplate({ jobTemplate }: CronJobSpec): FieldError[] {
  const path = 'spec.jobTemplate.spec';
  const { spec } = jobTemplate ?? {};
  if (spec === undefined) return [];
  const errors = validateJobSpec(spec, path);
  if (spec.selector !== undefined) {
    errors.push({ path: `${path}.selector`, message: 'must not be set: each Job gets one of its own' });
  }
  if (spec.manualSelector === true) {
    errors.push({ path: `${path}.manualSelector`, message: 'must not be true: each Job needs a selector of its own' });
  }
  return errors;
}
