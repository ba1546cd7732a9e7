import { main } from './frame/run.ts';
import { api } from './suites/api.ts';
import { cluster } from './suites/cluster.ts';
import { fleet } from './suites/fleet.ts';
import { gateway } from './suites/gateway.ts';
import { controllers } from './suites/controllers.ts';
import { mainJob } from './suites/main-job.ts';
import { scheduler } from './suites/scheduler.ts';

await main([mainJob, api, controllers, scheduler, cluster, fleet, gateway], process.argv.slice(2));
