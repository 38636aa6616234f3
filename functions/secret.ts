import { StreamGateError } from '../lib/errors.ts';

/** How long a secret is used before it is asked for again; a change is seen that much later at most. */
const freshMs = 60_000;

/** The extension answers from its own cache, or asks Secrets Manager once. */
const timeoutMs = 4_000;

const known = new Map<string, { at: number; values: Record<string, string> }>();

/**
 * Reads settings out of a Secrets Manager secret that holds a JSON object of environment variables,
 * through the AWS Parameters and Secrets Lambda extension: a request to this very machine, with no SDK to load.
 * A value that is an object is written as JSON, so that nobody has to write JSON inside JSON.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 *
 * @throws StreamGateError `configuration-invalid`; no message holds anything of the secret
 */
export async function readSecret(arn: string, now = Date.now()): Promise<Record<string, string>> {
  const found = known.get(arn);
  if (found && now - found.at < freshMs) return found.values;
  const values = parse(arn, await fetchSecret(arn));
  known.set(arn, { at: now, values });
  return values;
}

async function fetchSecret(arn: string): Promise<string> {
  const port = process.env.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT ?? '2773';
  let response: Response;
  try {
    response = await fetch(`http://localhost:${port}/secretsmanager/get?secretId=${encodeURIComponent(arn)}`, {
      headers: { 'X-Aws-Parameters-Secrets-Token': process.env.AWS_SESSION_TOKEN ?? '' },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw refuse(arn, 'the Parameters and Secrets extension does not answer. Add its layer to the function', cause);
  }
  if (!response.ok)
    throw refuse(
      arn,
      `it cannot be read (status ${response.status}). Give it a value, and the function's role the right to read it`,
    );
  const body = (await response.json()) as { SecretString?: string };
  return body.SecretString ?? '';
}

function parse(arn: string, text: string): Record<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw refuse(arn, 'it is not a JSON object of settings such as {"DATABASE_URL":"postgres://…"}. Put such a value');
  }
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

function refuse(arn: string, why: string, cause?: unknown): StreamGateError {
  return new StreamGateError('configuration-invalid', `The secret ${arn}: ${why}.`, { cause });
}
