import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { cpuStats } from '../../routes.ts';

/** GET /optimization/cpu/stats */
export const handler = endpoint(cpuStats, (request) => answer('cpuStats', request));
