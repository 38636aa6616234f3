/** Connection URLs out of the secrets that RDS writes. */

/**
 * Puts a user and a password into a URL that lacks them.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html#reference_secret_json_structure_rds-postgres
 *
 * @param secret `username`, `password`, and perhaps `host`, `port` and `dbname`
 * @param base a URL such as `postgres:///shop?sslmode=verify-full`: what it says goes before what the secret says
 */
export function urlOf(secret: Readonly<Record<string, string>>, base = 'postgres://'): string {
  const [, authority = '', path = '', query = ''] = /^postgres:\/\/([^/?]*)\/?([^?]*)(\?.*)?$/.exec(base) ?? [];
  const where = authority || `${secret.host ?? ''}${secret.port ? `:${secret.port}` : ''}`;
  const name = path || encodeURIComponent(secret.dbname ?? '');
  const login = [secret.username ?? '', secret.password ?? ''].map(encodeURIComponent).join(':');
  return `postgres://${login}@${where}/${name}${query}`;
}
