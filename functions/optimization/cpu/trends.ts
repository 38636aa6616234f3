import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { cpuTrends } from '../../routes.ts';

/** GET /optimization/cpu/trends */
export const handler = endpoint(cpuTrends, (request) => answer('cpuTrends', request));
