import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { cpuStats } from '../../routes.ts';

/** GET /optimization/cpu/stats */
export const handler = endpoint(cpuStats, (request) => answer('cpuStats', request));
