import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { cpuTrends } from '../../routes.ts';

/** GET /optimization/cpu/trends */
export const handler = endpoint(cpuTrends, (request) => answer('cpuTrends', request));
