/**
 * What a deployment costs in a month, from its templates: the resources are counted, and each is given what the traffic asks of it. It is an
 * estimate: prices are those of one region, taxes, support, data between zones and free tiers (but those that a line names) are left out.
 */
import { type PriceName, priceList } from './prices.ts';
import type { Traffic } from './traffic.ts';

/** A CloudFormation template, as far as it is read. */
export interface Template {
  Resources?: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

/** One thing that is paid for. */
export interface CostLine {
  /** The resource or the use of it. */
  what: string;
  price: PriceName;
  quantity: number;
  /** In the currency of the price list, a month. */
  cost: number;
  /** Whether it is paid for even when nobody asks anything. */
  isIdle: boolean;
}

const hours = 730;
const minutesPerMonth = hours * 60;
const kb = 1_000;
const gb = 1e9;

/** The metrics that lib/resources/emf.ts writes of a function. */
const ofFunction = 12;

/** What is paid for, most expensive first. */
export function estimate(templates: readonly Template[], traffic: Traffic): CostLine[] {
  const deployed = new Deployed(templates);
  const lines = [...fixed(deployed, traffic), ...audited(deployed, traffic), ...asked(deployed, traffic)];
  return lines.filter(({ quantity }) => quantity > 0).sort((a, b) => b.cost - a.cost);
}

/** The sum of lines. */
export function total(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { cost }) => sum + cost, 0);
}

function line(what: string, price: PriceName, quantity: number, isIdle: boolean, free = 0): CostLine {
  const paid = Math.max(0, quantity - free);
  return { what, price, quantity, cost: paid * priceList.prices[price].price, isIdle };
}

/** The resources of all templates. */
class Deployed {
  readonly #resources: { Type: string; Properties: Record<string, unknown> }[];

  constructor(templates: readonly Template[]) {
    this.#resources = templates.flatMap(({ Resources = {} }) =>
      Object.values(Resources).map(({ Type, Properties = {} }) => ({ Type, Properties })),
    );
  }

  of(type: string): Record<string, unknown>[] {
    return this.#resources.filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
  }

  count(type: string): number {
    return this.of(type).length;
  }
}

/** What is there is paid for. */
function fixed(deployed: Deployed, traffic: Traffic): CostLine[] {
  const zones = deployed
    .of('AWS::EC2::VPCEndpoint')
    .filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface')
    .reduce((sum, { SubnetIds }) => sum + lengthOf(SubnetIds), 0);
  const rules = deployed.of('AWS::WAFv2::WebACL').reduce((sum, { Rules }) => sum + lengthOf(Rules), 0);
  const alarmed = deployed.of('AWS::CloudWatch::Alarm').reduce((sum, alarm) => sum + metricsIn(alarm), 0);
  const caches = deployed.count('AWS::ElastiCache::ServerlessCache');
  const edges = deployed.count('AWS::CloudFront::MonitoringSubscription');
  return [
    line('The proxy', 'proxyVcpuHour', deployed.count('AWS::RDS::DBProxy') * traffic.proxyVcpus * hours, true),
    line('Endpoints in the network', 'endpointHour', zones * hours, true),
    line('Alarms', 'alarmMetric', alarmed, true),
    line('The alarm over them', 'compositeAlarm', deployed.count('AWS::CloudWatch::CompositeAlarm'), true),
    line('Dashboards', 'dashboard', deployed.count('AWS::CloudWatch::Dashboard'), true),
    line('Secrets', 'secret', deployed.count('AWS::SecretsManager::Secret'), true),
    line('Keys', 'key', deployed.count('AWS::KMS::Key'), true),
    line('The second level: at least 0.1 GB', 'cacheGbHour', caches * 0.1 * hours, true),
    line('The firewall', 'webAcl', deployed.count('AWS::WAFv2::WebACL'), true),
    line('Rules of the firewall', 'webAclRule', rules, true),
    line("CloudFront's additional metrics", 'edgeMetric', edges * 8, true),
    line("CloudFront's hit rate, as a metric of ours", 'customMetric', edges, true),
    // Eight of the cache (lib/cache/emf.ts), four of findings (functions/audits/counted.ts).
    line('Metrics of StreamGate', 'customMetric', deployed.count('AWS::Scheduler::Schedule') > 0 ? 12 : 0, true),
    // A metric is paid for by the hour in which it has a value.
    line('Metrics of the audits', 'customMetric', deployed.count('AWS::Scheduler::Schedule') * ofFunction, true),
  ];
}

/** What runs on a schedule is paid for whether anybody asks or not. */
function audited(deployed: Deployed, traffic: Traffic): CostLine[] {
  const runs = deployed.of('AWS::Scheduler::Schedule').map(({ ScheduleExpression }) => minutesOf(ScheduleExpression));
  const audits = runs.reduce((sum, everyMinutes) => sum + minutesPerMonth / everyMinutes, 0);
  const auditGb = 1;
  const often = Math.min(...runs);
  return [
    line('Schedules', 'schedulerInvocation', audits, true),
    line('Audits', 'lambdaRequest', audits, true),
    line('Audits, their time', 'lambdaGbSecond', (audits * auditGb * traffic.auditMs) / 1_000, true),
    line('Logs of the audits', 'logsGb', (audits * 2 * kb) / gb, true),
    ...deployed.of('AWS::RDS::DBCluster').flatMap((cluster) => aurora(cluster, often, traffic)),
  ];
}

function aurora(cluster: Record<string, unknown>, everyMinutes: number, traffic: Traffic): CostLine[] {
  const { MinCapacity = 0 } = (cluster.ServerlessV2ScalingConfiguration ?? {}) as { MinCapacity?: number };
  const awake = MinCapacity > 0 ? 1 : Math.min(1, traffic.awakeMinutesPerAudit / everyMinutes);
  const acuHours = Math.max(MinCapacity, traffic.busyAcu) * awake * hours;
  return [
    line(`Aurora, awake for ${Math.round(awake * 100)} % of the time`, 'auroraAcuHour', acuHours, true),
    line("Aurora's storage", 'auroraGbMonth', traffic.databaseGb, true),
  ];
}

/** What is paid for by the request. */
function asked(deployed: Deployed, traffic: Traffic): CostLine[] {
  const hasEdge = deployed.count('AWS::CloudFront::Distribution') > 0;
  const { requestsPerMonth: requests, answerKb, endpointMs } = traffic;
  const behind = hasEdge ? requests * (1 - traffic.edgeHitRate) : requests;
  const endpointGb = 0.5;
  const hasCache = deployed.count('AWS::ElastiCache::ServerlessCache') > 0;
  const hasFirewall = deployed.count('AWS::WAFv2::WebACL') > 0;
  const purges = hasEdge ? purgesIn(deployed) : 0;
  const used = behind > 0 ? deployed.count('AWS::ApiGatewayV2::Route') : 0;
  return [
    line('CloudFront', 'edgeRequest', hasEdge ? requests : 0, false, 10_000_000),
    line("CloudFront's traffic", 'edgeGb', hasEdge ? (requests * answerKb * kb) / gb : 0, false, 1_000),
    line('Purges', 'edgePurge', purges, true, 1_000),
    line('The firewall, by the request', 'webAclRequest', hasFirewall ? requests : 0, false),
    line('Metrics of the endpoints, if all are used all the time', 'customMetric', used * ofFunction, false),
    line('The API', 'apiRequest', behind, false),
    line('Endpoints', 'lambdaRequest', behind, false),
    line('Endpoints, their time', 'lambdaGbSecond', (behind * endpointGb * endpointMs) / 1_000, false),
    line('The second level, by the command', 'cacheEcpu', hasCache ? behind * traffic.secondLevelGets * 2 : 0, false),
    // A line of the access log, three of Lambda's own and one of metrics.
    line('Logs of the requests', 'logsGb', (behind * 1.6 * kb) / gb, false),
    line('Secrets, read', 'secretCall', Math.min(behind, 2 * minutesPerMonth), false),
  ];
}

/** One tag for each audit that tells the purge (infra/edge.ts): the destination of its success. */
function purgesIn(deployed: Deployed): number {
  const telling = new Set(
    deployed
      .of('AWS::Lambda::EventInvokeConfig')
      .filter(({ DestinationConfig }) => /OnSuccess.*Purge/.test(JSON.stringify(DestinationConfig)))
      .map(({ FunctionName }) => JSON.stringify((FunctionName as { Ref?: string }).Ref)),
  );
  return deployed
    .of('AWS::Scheduler::Schedule')
    .filter(({ Target }) => [...telling].some((name) => JSON.stringify(Target).includes(name)))
    .reduce((sum, { ScheduleExpression }) => sum + minutesPerMonth / minutesOf(ScheduleExpression), 0);
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** An alarm over an expression is paid for by the metrics in it. */
function metricsIn({ Metrics }: Record<string, unknown>): number {
  if (!Array.isArray(Metrics)) return 1;
  return (Metrics as { MetricStat?: object }[]).filter(({ MetricStat }) => MetricStat).length;
}

const units: Record<string, number> = { minute: 1, hour: 60, day: 1_440 };

/** @throws Error for a schedule that is no rate */
function minutesOf(expression: unknown): number {
  const [, number = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(expression)) ?? [];
  const minutes = Number(number) * (units[unit] ?? 0);
  if (!(minutes > 0)) throw new Error(`A schedule that is no rate: ${expression}.`);
  return minutes;
}
