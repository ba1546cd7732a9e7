import { main } from './frame/run.ts';
import { api } from './suites/api.ts';
import { controllers } from './suites/controllers.ts';
import { mainJob } from './suites/main-job.ts';

await main([mainJob, api, controllers], process.argv.slice(2));
