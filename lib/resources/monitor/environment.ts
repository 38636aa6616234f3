import type { Environment } from '../sample.ts';
import type { MonitorSettings } from './options.ts';

/** The init phase ends after this long; a first invocation that comes later came to an environment that had been waiting. */
const longestInitMs = 10_000;

/** The environment that this process, or this thread, is. Its id is random, since a log stream may be that of several. */
export function describeEnvironment(
  settings: Pick<MonitorSettings, 'function' | 'version' | 'stage'>,
  env: Readonly<Record<string, string | undefined>>,
): Environment {
  const memoryMegabytes = Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE);
  return {
    id: crypto.randomUUID(),
    function: settings.function,
    version: settings.version,
    stage: settings.stage,
    memoryLimitBytes: memoryMegabytes > 0 ? memoryMegabytes * 2 ** 20 : null,
    nodeVersion: process.versions.node,
    startedAt: new Date(performance.timeOrigin).toISOString(),
    initMs: null,
  };
}

/**
 * How long the init phase took: the first invocation follows it at once, unless Lambda has prepared the environment ahead of
 * any (provisioned concurrency, or on its own account).
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 *
 * @param firstBeganAt when the first invocation began, in milliseconds since the process started
 */
export function initMs(env: Readonly<Record<string, string | undefined>>, firstBeganAt: number): number | null {
  const isOnDemand = env.AWS_LAMBDA_INITIALIZATION_TYPE === 'on-demand';
  return isOnDemand && firstBeganAt <= longestInitMs ? Math.round(firstBeganAt) : null;
}

/**
 * Whether Lambda gives this process one invocation at a time. On Lambda Managed Instances it gives several to each of several
 * worker threads. https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-nodejs-runtime.html
 */
export function isSequential(env: Readonly<Record<string, string | undefined>>, isMainThread: boolean): boolean {
  return isMainThread && Boolean(env.AWS_LAMBDA_FUNCTION_NAME) && !env.AWS_LAMBDA_MAX_CONCURRENCY;
}
