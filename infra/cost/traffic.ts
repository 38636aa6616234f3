import * as z from 'zod';

const share = z.number().min(0).max(1);

/** What a deployment has to do in a month. */
export const Traffic = z.strictObject({
  requestsPerMonth: z.number().min(0).default(100_000).describe('Of the API, before CloudFront.'),
  edgeHitRate: share.default(0.9).describe('What CloudFront answers by itself, where there is one.'),
  answerKb: z.number().min(0).default(20),
  endpointMs: z.number().min(0).default(25).describe('What an endpoint takes.'),
  auditMs: z.number().min(0).default(4_000).describe('What an audit takes.'),
  secondLevelGets: z.number().min(0).default(0.3).describe('Of an endpoint, for each request.'),
  databaseGb: z.number().min(0).default(2).describe('What the Aurora of its own holds.'),
  busyAcu: z.number().min(0).default(0.5).describe('What that Aurora takes while it is awake.'),
  proxyVcpus: z
    .number()
    .min(2)
    .default(2)
    .describe('Of the database behind an RDS Proxy; ACUs of a serverless one, 8 at least.'),
  awakeMinutesPerAudit: z.number().min(0).default(6).describe('It sleeps five minutes after the last connection.'),
});

/** Checked. */
export type Traffic = z.infer<typeof Traffic>;

/** Profiles to begin with. */
export const profiles = {
  idle: { requestsPerMonth: 0, edgeHitRate: 0 },
  team: {},
  busy: { requestsPerMonth: 30_000_000, edgeHitRate: 0.95, databaseGb: 10 },
} as const satisfies Record<string, z.input<typeof Traffic>>;
