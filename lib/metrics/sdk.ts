import type { CloudWatchApi } from './cloudwatch/api.ts';

/** Makes the client of the SDK for the region of the process, with its credentials. Loaded here, and by nobody who does not need it. */
export async function connectCloudWatch(): Promise<CloudWatchApi> {
  const { CloudWatch } = await import('@aws-sdk/client-cloudwatch');
  return new CloudWatch({
    // Throttling passes, and the time for it is bounded by the caller.
    maxAttempts: 8,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
}
