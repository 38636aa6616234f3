import pg from 'pg';
import { clientConfig } from './url.ts';

/** RDS Proxy refuses a login with a setting; infra/proxy.ts has it set the server's. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html */
const takesNoSettings = /\.proxy-\w+\.[\w-]+\.rds\.amazonaws\.com(?:\.cn)?$/;

/**
 * Connections to a database of our own: the history, or the cache. Nothing is connected before the first statement.
 *
 * @param types how results are read; as `pg` reads them when not said
 */
export function openPool(url: string, types?: pg.CustomTypesConfig): pg.Pool {
  const pool = new pg.Pool(poolConfig(url, types));
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}

/** How they are made. */
export function poolConfig(url: string, types?: pg.CustomTypesConfig): pg.PoolConfig {
  const config = clientConfig(url);
  return {
    ...config,
    application_name: 'streamgate',
    // An environment serves one request at a time; the second is for what goes on beside it.
    max: 2,
    connectionTimeoutMillis: 5_000,
    ...(takesNoSettings.test(config.host ?? '') ? {} : { statement_timeout: 15_000 }),
    query_timeout: 20_000,
    ...(types ? { types } : {}),
  };
}
