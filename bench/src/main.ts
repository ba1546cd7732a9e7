import { main } from './frame/run.ts';
import { api } from './suites/api.ts';
import { mainJob } from './suites/main-job.ts';

await main([mainJob, api], process.argv.slice(2));
