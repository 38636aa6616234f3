/**
 * Signature Version 4 of AWS, in the query of a URL: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * Written here, and not taken from an SDK: it is all that a login with IAM needs, it takes no turn of the event loop, which the client of Redis
 * does not give it, and an SDK would double what a cold start reads. A test compares it with `@smithy/signature-v4`.
 */

/** Who signs. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of a role, such as that of a Lambda function. */
  sessionToken?: string | undefined;
}

/** A GET of `/`, and who asks for it. */
export interface Request {
  /** With the port where that is not the usual one. */
  host: string;
  query: Readonly<Record<string, string>>;
  /** As AWS calls it in signatures: `rds-db`, `elasticache`. */
  service: string;
  region: string;
  credentials: Credentials;
  expiresSeconds: number;
}

/** The signed URL without its protocol: `host/?…&X-Amz-Signature=…`. @param now milliseconds since 1970 */
export function presign(request: Request, now = Date.now()): string {
  const { host, query, service, region, credentials, expiresSeconds } = request;
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const parameters = {
    ...query,
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresSeconds),
    'X-Amz-SignedHeaders': 'host',
    ...(credentials.sessionToken ? { 'X-Amz-Security-Token': credentials.sessionToken } : {}),
  };
  const canonicalQuery = Object.entries(parameters)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonicalRequest = ['GET', '/', canonicalQuery, `host:${host}`, '', 'host', sha256('')].join('\n');
  const text = [algorithm, time, scope, sha256(canonicalRequest)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  return `${host}/?${canonicalQuery}&X-Amz-Signature=${hmac(key, text).toString('hex')}`;
}

const algorithm = 'AWS4-HMAC-SHA256';

/** RFC 3986, which `encodeURIComponent` is but for five characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Loaded when it is needed: it takes 4 ms. */
const crypto = () => process.getBuiltinModule('node:crypto');

function sha256(text: string): string {
  return crypto().createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return crypto().createHmac('sha256', key).update(text).digest();
}
