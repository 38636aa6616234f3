import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { cpuMetrics } from '../../routes.ts';

/** GET /optimization/cpu/metrics */
export const handler = endpoint(cpuMetrics, (request) => answer('cpuMetrics', request));
