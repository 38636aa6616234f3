import { timingSafeEqual } from 'node:crypto';
import { readSecret } from './secret.ts';

/** The header in which CloudFront says that a request came through it. */
export const originHeader = 'x-streamgate-origin';

/** The secret that only CloudFront and this function know; undefined where there is no CloudFront. */
export function originSecretArn(): string | undefined {
  return process.env.STREAMGATE_ORIGIN_SECRET_ARN || undefined;
}

/**
 * Whether a request came through CloudFront. The secret has a `current` value, and a `previous` one while it is being changed: CloudFront says the one
 * until it has deployed the other.
 *
 * @throws StreamGateError `configuration-invalid`
 */
export async function isFromOrigin(
  headers: Readonly<Record<string, string | undefined>> | undefined,
  arn: string,
): Promise<boolean> {
  const said = headers?.[originHeader];
  if (!said) return false;
  const { current, previous } = await readSecret(arn);
  return [current, previous].some((accepted) => accepted !== undefined && isSame(said, accepted));
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && a.length > 0 && timingSafeEqual(a, b);
}
