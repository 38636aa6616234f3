/**
 * What RDS calls the server at a host: `shop.cluster-abc.eu-central-1.rds.amazonaws.com` is the writer of a cluster, and without `cluster-` it is an instance.
 *
 * @throws Error for any other host: a reader, a proxy, a name of your own
 */
export function identifierIn(
  host: string,
): { cluster: string; instance?: never } | { instance: string; cluster?: never } {
  const [, identifier, kind] =
    /^([\w-]+)\.(?:(cluster)-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?$/.exec(host) ?? [];
  if (!identifier)
    throw new Error(
      `${host} is neither the writer of a cluster nor an instance, such as shop.cluster-abc.eu-central-1.rds.amazonaws.com. A proxy is made for these.`,
    );
  return kind ? { cluster: identifier } : { instance: identifier };
}
