import { Expected, type Parser } from '@navarch/kit';
import { type Strategy, strategies } from './select-node.ts';

/** How Pods that name it in `spec.schedulerName` are placed. */
export interface Profile {
  readonly schedulerName: string;
  readonly strategy: Strategy;
}

/** One profile for each strategy, by its name; the default is argmax. */
export const defaultProfiles = ['default-scheduler=argmax', ...strategies.map((name) => `${name}=${name}`)].join(',');

/** `name=strategy,…`. */
export const profiles: Parser<readonly Profile[]> = (text) => {
  const parsed = text.split(',').map((part): Profile => {
    const [schedulerName = '', name] = part.trim().split('=');
    const strategy = strategies.find((known) => known === name);
    if (schedulerName === '' || strategy === undefined) {
      throw new Expected(`profiles like default-scheduler=argmax, with a strategy of ${strategies.join(', ')}`);
    }
    return { schedulerName, strategy };
  });
  const names = new Set(parsed.map(({ schedulerName }) => schedulerName));
  if (names.size < parsed.length) throw new Expected('each profile once');
  return parsed;
};
