import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { queryStats } from '../../routes.ts';

/** GET /optimization/queries/stats */
export const handler = endpoint(queryStats, (request) =>
  answer(request.parameters.queryId === undefined ? 'queryStats' : 'statementHistory', request),
);
