import { builtinKinds } from '@navarch/kinds';
import { accessMakers } from './access.ts';
import type { Maker } from './maker.ts';
import { policyMakers } from './policies.ts';
import { serviceMakers } from './services.ts';
import { settingsMakers } from './settings.ts';
import { workloadMakers } from './workloads.ts';

/** What `navctl create` makes from flags: of the kinds that kubectl has a command for, those that a cluster has. */
export const makers: readonly Maker[] = [
  ...policyMakers,
  ...accessMakers,
  ...settingsMakers,
  ...workloadMakers,
  ...serviceMakers,
].filter(({ apiVersion, kind }) => builtinKinds.byApiVersion(apiVersion, kind) !== undefined);
