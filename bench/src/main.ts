import { main } from './frame/run.ts';
import { mainJob } from './suites/main-job.ts';

await main([mainJob], process.argv.slice(2));
