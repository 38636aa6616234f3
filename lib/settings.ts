/**
 * Every threshold and every environment variable, in one place: one schema checks them, gives the
 * defaults and describes them.
 */
import * as z from 'zod';
import { StreamGateError } from './errors.ts';
import { isNamespace } from './metrics/checks.ts';
import { checkDatabaseUrl, databaseName } from './postgres/url.ts';

/**
 * The figures that StreamGate holds an API to. A rule takes its defaults from here, and
 * `streamgate.config.json` overrides them rule by rule.
 */
export const thresholds = {
  /** A statement whose mean time is at or above this is slow. */
  slowQueryMs: 100,
  /** What a statement should take. */
  queryTargetMs: 10,
  /** An index that wastes more of its space than this is fragmented. */
  fragmentationPercent: 30,
  /** The share of gets that the cache should answer without a load. */
  hitRate: 0.98,
  /** A function should take no more memory than this. */
  memoryBytes: 500 * 2 ** 20,
  /** Of its time a function should compute for no more than this. */
  cpuPercent: 50,
} as const;

/** How many entries each level of the service's own cache holds. */
export const cacheEntries = { l1: 1_000, l2: 10_000, l3: 100_000 } as const;

/** What a caller may do: `read` reads, `operate` also acts. */
export const scopes = ['read', 'operate'] as const;

/** One of {@link scopes}. */
export type Scope = (typeof scopes)[number];

const jsonOf = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        // The parser's own message would quote what may be a secret.
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const wholeNumber = (least: number, most: number) =>
  z.string().regex(/^\d+$/, 'not a whole number').transform(Number).pipe(z.number().min(least).max(most));

const redisUrl = z.url({ protocol: /^rediss?$/, error: 'not a URL such as redis://localhost:6379' });

/** The environment variables of the service, as they are written. */
export const Environment = z.object({
  DATABASE_URL: z.string().optional().describe('The database to monitor.'),
  STREAMGATE_DATABASES: jsonOf(
    z
      .record(z.string().min(1), z.string())
      .refine((databases) => Object.keys(databases).length > 0, 'names no database'),
  )
    .optional()
    .describe('Several databases to monitor, as JSON: {"shop":"postgres://…","billing":"postgres://…"}.'),
  STREAMGATE_HISTORY_URL: z
    .string()
    .optional()
    .describe('Where snapshots and findings are kept: a PostgreSQL database that StreamGate may write to.'),
  REDIS_URL: redisUrl
    .optional()
    .describe("The Redis or Valkey that keeps the second level of the cache. Without it, the history's database does."),
  STREAMGATE_RETENTION_DAYS: wholeNumber(1, 3650).default(40).describe('How long snapshots and findings are kept.'),
  STREAMGATE_TOKENS: jsonOf(
    z.record(z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex'), z.array(z.enum(scopes))),
  )
    .default({})
    .describe('Who may call the API, as JSON: the SHA-256 of each bearer token in hex, and its scopes.'),
  STREAMGATE_SECRET_ARN: z
    .string()
    .optional()
    .describe('In a deployment: the Secrets Manager secret that holds the other variables as a JSON object.'),
  STREAMGATE_DATABASE_SECRET_ARN: z
    .string()
    .optional()
    .describe('In a deployment: a secret as RDS writes it, with the user and the password for DATABASE_URL.'),
  STREAMGATE_HISTORY_SECRET_ARN: z
    .string()
    .optional()
    .describe('In a deployment: the same for STREAMGATE_HISTORY_URL.'),
  STREAMGATE_ORIGIN_SECRET_ARN: z
    .string()
    .optional()
    .describe('In a deployment behind CloudFront: the secret with what only CloudFront can say.'),
  STREAMGATE_ELASTICACHE_NAME: z
    .string()
    .optional()
    .describe('In a deployment: the ElastiCache Serverless at REDIS_URL, to which functions log in as their role.'),
  STREAMGATE_TAG_HEADER: z
    .string()
    .optional()
    .describe('In a deployment behind CloudFront: the header in which it looks for the tags of an answer.'),
  STREAMGATE_DISTRIBUTION_ID: z
    .string()
    .optional()
    .describe('In a deployment behind CloudFront: the distribution that is told what an audit made old.'),
  STREAMGATE_STAGE: z.string().default('default').describe('The stage that metrics stand under.'),
  STREAMGATE_METRICS: z
    .enum(['cloudwatch', 'none'])
    .optional()
    .describe(
      'Where the audit finds functions that leave no samples in the history. On Lambda: cloudwatch; elsewhere: none.',
    ),
  STREAMGATE_METRICS_NAMESPACE: z
    .string()
    .refine(isNamespace, 'not a namespace of CloudWatch')
    .default('StreamGate')
    .describe('The namespace of their metrics in CloudWatch.'),
  STREAMGATE_CONFIG: z.string().optional().describe('The file that switches rules off and tunes them.'),
});

/** What only the one-machine mode reads. */
export const LocalEnvironment = z.object({
  PORT: wholeNumber(0, 65_535).default(8787).describe('Where the API and the dashboard listen.'),
  HOST: z.string().default('127.0.0.1').describe('The address to listen at; 0.0.0.0 inside a container.'),
  DATABASE_URL: z.string().optional().describe('A database to monitor instead of the demo.'),
  STREAMGATE_DATABASES: z.string().optional().describe('Several of them.'),
  STREAMGATE_HISTORY_URL: z
    .string()
    .optional()
    .describe('Where to keep the history instead of the embedded PostgreSQL.'),
  REDIS_URL: redisUrl.optional().describe('A Redis or Valkey to use instead of a private one.'),
  STREAMGATE_TOKEN: z
    .string()
    .regex(/^[\w.~+/-]{8,}=*$/, 'at least 8 letters, digits or any of - . _ ~ + /')
    .optional()
    .describe('The access token; a new one at every start when left out.'),
  STREAMGATE_DIRECTORY: z.string().default('.streamgate').describe('Where the embedded services keep their data.'),
});

/** The settings of the one-machine mode. */
export type LocalSettings = z.infer<typeof LocalEnvironment>;

/** Reads the settings of the one-machine mode. @throws StreamGateError `configuration-invalid`, naming the variable */
export function readLocalSettings(env: Record<string, string | undefined> = process.env): LocalSettings {
  return parse(LocalEnvironment, env);
}

/** A monitored database and the name it goes by. */
export interface Database {
  name: string;
  url: string;
}

/** The checked settings. */
export interface Settings {
  databases: Database[];
  historyUrl: string;
  /** Undefined: the second level is kept in the history's database. */
  redisUrl: string | undefined;
  /** The ElastiCache Serverless at that URL; undefined for any other Redis. */
  elastiCacheName: string | undefined;
  /** The header for the CDN before the API; undefined where there is none. */
  tagHeader: string | undefined;
  /** The stage that metrics stand under. */
  stage: string;
  /** The namespace in CloudWatch that functions are looked for in; undefined where none are. */
  metricsNamespace: string | undefined;
  retentionDays: number;
  tokens: Record<string, Scope[]>;
  configPath: string | undefined;
}

/**
 * Reads the settings from environment variables.
 *
 * @throws StreamGateError `configuration-invalid` or `database-url-invalid`, naming the variable
 */
export function readSettings(env: Record<string, string | undefined> = process.env): Settings {
  const values = parse(Environment, env);
  const databases = databasesIn(values);
  if (databases.length === 0) throw invalid('No database to monitor. Set DATABASE_URL or STREAMGATE_DATABASES.');
  if (values.STREAMGATE_HISTORY_URL === undefined) {
    throw invalid(
      'Nowhere to keep the history. Set STREAMGATE_HISTORY_URL to a database that StreamGate may write to.',
    );
  }
  const metrics = values.STREAMGATE_METRICS ?? (env.AWS_LAMBDA_FUNCTION_NAME ? 'cloudwatch' : 'none');
  return {
    databases,
    historyUrl: checkDatabaseUrl(values.STREAMGATE_HISTORY_URL, 'STREAMGATE_HISTORY_URL'),
    redisUrl: values.REDIS_URL,
    elastiCacheName: values.STREAMGATE_ELASTICACHE_NAME,
    tagHeader: values.STREAMGATE_TAG_HEADER,
    stage: values.STREAMGATE_STAGE,
    metricsNamespace: metrics === 'cloudwatch' ? values.STREAMGATE_METRICS_NAMESPACE : undefined,
    retentionDays: values.STREAMGATE_RETENTION_DAYS,
    tokens: values.STREAMGATE_TOKENS,
    configPath: values.STREAMGATE_CONFIG,
  };
}

/** The monitored databases alone; none when none is configured. */
export function readDatabases(env: Record<string, string | undefined> = process.env): Database[] {
  return databasesIn(parse(Environment, env));
}

function databasesIn(values: z.infer<typeof Environment>): Database[] {
  const databases: Database[] = [];
  if (values.DATABASE_URL !== undefined) {
    const url = checkDatabaseUrl(values.DATABASE_URL, 'DATABASE_URL');
    databases.push({ name: databaseName(url), url });
  }
  for (const [name, url] of Object.entries(values.STREAMGATE_DATABASES ?? {})) {
    if (databases.some((database) => database.name === name)) {
      throw invalid(
        `STREAMGATE_DATABASES names "${name}" again, which DATABASE_URL has already. Give it another name.`,
      );
    }
    databases.push({ name, url: checkDatabaseUrl(url, `STREAMGATE_DATABASES: "${name}"`) });
  }
  return databases;
}

/**
 * The database that `?database=` names; the first one when it names none.
 *
 * @throws StreamGateError `database-unknown`, listing the names
 */
export function chooseDatabase(databases: readonly Database[], name?: string): Database {
  const found = name === undefined ? databases[0] : databases.find((database) => database.name === name);
  if (found) return found;
  const names = databases.map((database) => database.name).join(', ');
  throw new StreamGateError('database-unknown', `There is no database "${name}". Configured: ${names}.`);
}

function parse<Schema extends z.ZodType>(schema: Schema, env: Record<string, string | undefined>): z.infer<Schema> {
  // An empty variable is how shells and templates write "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // Only the variable is named: what stands deeper may be a token that somebody wrote in the place of its hash.
  const message = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
  throw invalid(`${String(issue?.path[0])}: ${message}.`);
}

function invalid(message: string): StreamGateError {
  return new StreamGateError('configuration-invalid', message);
}
