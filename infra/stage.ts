/**
 * A stage is one deployment, such as `trial` or `prod`: a file in infra/stages/ says what is special about it, and what is
 * not said has the default here. Everything is said in it: nothing is looked up in an account.
 */
import * as z from 'zod';
import { audits } from '../functions/routes.ts';
import { identifierIn } from './rds-host.ts';

/** Days for which CloudWatch can keep a log: it takes no other number. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const arn = (service: string) =>
  z.string().regex(new RegExp(`^arn:aws[\\w-]*:${service}:`), `not an ARN of ${service}`);
const hostName = z.string().regex(/^[\w.-]+$/, 'not the name of a host');
const identifier = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}-[0-9a-f]+$`), `not an id such as ${prefix}-0123456789abcdef0`);
const port = z.int().min(1).max(65_535);

const metricsEndpoint = z
  .boolean()
  .default(false)
  .describe(
    'Make an endpoint for CloudWatch, where functions are found that leave no samples in the history. 15 USD a month.',
  );

const Network = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('none') })
    .describe('Functions stand in no network of yours: for databases that are reached over the internet.'),
  z
    .strictObject({ kind: z.literal('isolated'), metricsEndpoint })
    .describe('A network of its own with no way to the internet and no NAT.'),
  z
    .strictObject({
      kind: z.literal('existing'),
      vpcId: identifier('vpc'),
      availabilityZones: z.array(z.string().min(1)).min(1),
      subnetIds: z.array(identifier('subnet')).min(1),
      routeTableIds: z
        .array(identifier('rtb'))
        .optional()
        .describe('Of the subnets, in their order: for the endpoint of S3, which is a route.'),
      endpoints: z.boolean().default(true).describe('Make the endpoints there; false where there are such, or a NAT.'),
      metricsEndpoint,
    })
    .describe('Subnets that you have, one in each of the availability zones.'),
]);

const proxy = z
  .boolean()
  .default(false)
  .describe('Make an RDS Proxy for the history; what is watched is asked directly. Some 22 USD a month and more.');

const Database = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('settings') }).describe('Connection URLs that you put into the secret of settings.'),
  z
    .strictObject({
      kind: z.literal('secret'),
      secretArn: arn('secretsmanager'),
      host: hostName.optional().describe('Where the secret has none, as that of a master user.'),
      port: port.optional(),
      name: z.string().min(1).optional(),
      user: z.string().min(1).optional().describe('Only with `proxy`: the username in the secret.'),
      securityGroupId: identifier('sg').optional().describe('Of the server: the functions are let in.'),
      proxy,
    })
    .describe('A secret as RDS writes it: username, password, and perhaps host, port and dbname.'),
  z
    .strictObject({
      kind: z.literal('iam'),
      host: hostName.describe('Of RDS, Aurora or RDS Proxy.'),
      port: port.default(5432),
      name: z.string().min(1),
      user: z.string().min(1),
      resourceId: z.string().regex(/^(db|cluster|prx)-\w+$/, 'not an id such as db-…, cluster-… or prx-…'),
      securityGroupId: identifier('sg').optional(),
      proxy,
    })
    .describe("The functions' roles log in: no password exists."),
  z
    .strictObject({
      kind: z.literal('aurora'),
      minCapacity: z.number().min(0).max(256).multipleOf(0.5).default(0),
      maxCapacity: z.number().min(1).max(256).multipleOf(0.5).default(1),
    })
    .describe('A small Aurora Serverless v2 of its own, which sleeps while nobody asks it.'),
]);

const Cache = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('postgres') }).describe('The second level is kept in the database of the history.'),
  z
    .strictObject({
      kind: z.literal('elasticache'),
      maxGb: z.int().min(1).max(5_000).default(1).describe('The most that it keeps.'),
      maxEcpuPerSecond: z.int().min(1_000).max(15_000_000).default(5_000).describe('The most work that it does.'),
    })
    .describe('ElastiCache Serverless for Valkey. Both limits bound what it can cost.'),
]);

const Edge = z.strictObject({
  domain: z
    .strictObject({ name: hostName, certificateArn: arn('acm').describe('In us-east-1.') })
    .optional()
    .describe("A name of your own; CloudFront's when left out."),
  firewall: z.boolean().default(true).describe('A web ACL in us-east-1: about 8 USD a month.'),
  requestsPerFiveMinutes: z.int().min(10).max(2_000_000_000).default(2_000).describe('From one address.'),
  purge: z
    .array(z.literal(audits.map(({ part }) => part)))
    .default(['indexes'])
    .describe('The audits after which CloudFront forgets what they made old. 1,000 a month are free.'),
});

const Alarms = z.strictObject({
  email: z.email().optional().describe('Who is told. More can subscribe to the topic.'),
  everyRoute: z
    .boolean()
    .default(false)
    .describe('Alarms for each endpoint by itself, and not for all together. 0.10 USD a month each.'),
  latencyMs: z.number().min(1).default(50).describe('What 95 % of the requests should stay below.'),
  hitPercent: z.number().min(0).max(100).default(98).describe('What the cache should answer without a load.'),
  edgeHitPercent: z
    .number()
    .min(0)
    .max(100)
    .default(80)
    .describe(
      'What CloudFront should answer by itself: fewer than all levels do, since it keeps each answer for each token.',
    ),
});

/** What can be said about a stage. */
const Settings = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'not a region such as eu-central-1')
    .optional()
    .describe("Where it is deployed; the command line's region when left out."),
  account: z
    .string()
    .regex(/^\d{12}$/, 'not an account of twelve digits')
    .optional()
    .describe("The command line's account when left out."),
  logRetentionDays: z
    .literal(logRetentionDays)
    .default(30)
    .describe('Days for which the logs of the functions and of the API are kept.'),
  historyRetentionDays: z
    .int()
    .min(1)
    .max(3650)
    .default(40)
    .describe('Days for which snapshots and findings are kept: STREAMGATE_RETENTION_DAYS of the functions.'),
  requestsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .describe('What the API lets through in the long run, for all callers together. 10,000 is what an account has.'),
  requestBurst: z
    .int()
    .min(1)
    .max(5_000)
    .default(100)
    .describe('What the API lets through at once. 5,000 is what an account has.'),
  protect: z
    .boolean()
    .default(false)
    .describe('Refuse to delete the stack, and keep what it holds when it is deleted all the same.'),
  removeData: z
    .boolean()
    .default(false)
    .describe('Drop the history (schema streamgate) when the stack is deleted. Not with `protect`.'),
  auditEveryMinutes: z
    .partialRecord(z.literal(audits.map(({ part }) => part)), z.int().min(1).max(1_440))
    .default({})
    .describe('How often each part is audited; as functions/routes.ts says when left out.'),
  network: Network.default({ kind: 'none' }),
  database: Database.default({ kind: 'settings' }),
  cache: Cache.default({ kind: 'postgres' }),
  edge: Edge.optional().describe('CloudFront before the API; none when left out.'),
  alarms: Alarms.or(z.literal(false)).prefault({}).describe('false: none, and no dashboard.'),
});

/** What a stage's file says. */
export type StageSettings = z.input<typeof Settings>;

/** The checked configuration of a stage. */
export type Stage = z.output<typeof Settings> & {
  /** The stage's name; the stack's name ends with it. */
  name: string;
};

/** A stage's file, typed: `export default defineStage({ … })`. */
export function defineStage(settings: StageSettings): StageSettings {
  return settings;
}

/**
 * Checks the settings of a stage.
 *
 * @param source where they are written, for the message
 * @throws Error that names the key and says what would be right
 */
export function checkStage(name: string, settings: unknown, source = `infra/stages/${name}.ts`): Stage {
  const parsed = Settings.safeParse(settings);
  if (!parsed.success) {
    const keys = Object.keys(Settings.shape).join(', ');
    throw new Error(`${source} is not right. A stage has the keys ${keys}.\n${z.prettifyError(parsed.error)}`);
  }
  const stage = { name, ...parsed.data };
  const problem = contradictionIn(stage);
  if (problem) throw new Error(`${source} is not right. ${problem}`);
  return stage;
}

/** What each key alone may be, and both together may not. */
function contradictionIn({ network, database, cache, protect, removeData }: Stage): string | undefined {
  const inside = network.kind !== 'none';
  if (!inside && database.kind === 'aurora') return 'database: an Aurora stands in a network. Give `network`.';
  if (!inside && cache.kind === 'elasticache') return 'cache: an ElastiCache stands in a network. Give `network`.';
  if (!inside && 'securityGroupId' in database)
    return 'database.securityGroupId: functions in no network cannot be let in by one. Give `network`.';
  if ('proxy' in database && database.proxy) {
    const problem = contradictionInProxy(database, network);
    if (problem) return problem;
  }
  if (database.kind === 'aurora' && database.minCapacity > database.maxCapacity)
    return 'database.minCapacity is more than database.maxCapacity.';
  if (network.kind === 'existing' && network.subnetIds.length !== network.availabilityZones.length)
    return 'network.subnetIds: one for each of the availabilityZones, in their order.';
  if (network.kind === 'existing' && network.endpoints && network.routeTableIds?.length !== network.subnetIds.length)
    return 'network.routeTableIds: one for each of the subnetIds, in their order; or `endpoints: false` where there is a way to S3.';
  if (protect && removeData) return 'removeData: not with `protect`.';
  return undefined;
}

/** What a proxy needs to know of the database behind it. */
function contradictionInProxy(
  database: Extract<Stage['database'], { proxy: boolean }>,
  network: Stage['network'],
): string | undefined {
  if (network.kind !== 'existing') return 'database.proxy: it stands where the database does. Give that `network`.';
  if (network.subnetIds.length < 2)
    return 'database.proxy: RDS wants subnets in two zones. Give a second one in `network`.';
  const { host, name, user } = database;
  if (!host || !name || !user)
    return 'database.proxy: give `host`, `name` and `user`, which functions log in to it as.';
  if (database.kind === 'iam' && !/^(db|cluster)-/.test(database.resourceId))
    return 'database.resourceId: that of the database; the proxy before it is made.';
  try {
    identifierIn(host);
    return undefined;
  } catch (error) {
    return `database.host: ${(error as Error).message}`;
  }
}
