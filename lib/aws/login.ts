/** Passwords that a role makes for itself, and that are worth nothing a quarter of an hour later. */
import { type Credentials, presign } from './presign.ts';

/** The longest that AWS takes for both. */
const expiresSeconds = 900;

/** What Lambda gives a function. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What a login needs of the environment; undefined outside of AWS. */
function signerIn(env: Environment): { region: string; credentials: Credentials } | undefined {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!region || !accessKeyId || !secretAccessKey) return undefined;
  return { region, credentials: { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN } };
}

/** The region that is part of the name of every host of RDS: `shop.cluster-abc.eu-central-1.rds.amazonaws.com`. */
const rdsHost = /\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$/;

/**
 * The password with which a role logs in to RDS, Aurora or RDS Proxy. The connection stays good when it is not any more.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 *
 * @returns undefined for a host that is none of RDS, and outside of AWS
 */
export function rdsPassword(
  { host, port, user }: { host: string; port: number; user: string },
  env: Environment = process.env,
  now = Date.now(),
): string | undefined {
  const region = rdsHost.exec(host)?.[1];
  const signer = signerIn(env);
  if (!region || !signer) return undefined;
  const query = { Action: 'connect', DBUser: user };
  return presign({ ...signer, region, host: `${host}:${port}`, query, service: 'rds-db', expiresSeconds }, now);
}

/**
 * The password with which a role logs in to ElastiCache Serverless. It ends a connection after twelve hours.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
 *
 * @returns undefined outside of AWS
 */
export function elastiCachePassword(
  { cache, user }: { cache: string; user: string },
  env: Environment = process.env,
  now = Date.now(),
): string | undefined {
  const signer = signerIn(env);
  if (!signer) return undefined;
  const query = { Action: 'connect', User: user, ResourceType: 'ServerlessCache' };
  return presign({ ...signer, host: cache, query, service: 'elasticache', expiresSeconds }, now);
}
