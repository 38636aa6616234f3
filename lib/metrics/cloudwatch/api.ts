/**
 * The part of the client of CloudWatch that metrics need: `new CloudWatch()` of `@aws-sdk/client-cloudwatch` has it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
 */

/** A client, already told its region and how often to try again. */
export interface CloudWatchApi {
  putMetricData(input: PutMetricData, options?: CallOptions): Promise<unknown>;
  getMetricData(input: GetMetricData, options?: CallOptions): Promise<GetMetricDataOutput>;
  listMetrics(input: ListMetrics, options?: CallOptions): Promise<ListMetricsOutput>;
}

/** What a call is told beside its input. */
export interface CallOptions {
  abortSignal?: AbortSignal;
}

/** Of a metric's dimensions. */
export interface Dimension {
  Name: string;
  Value: string;
}

/** Values of a metric at a moment: at most 150, each with how often it occurred. */
export interface MetricDatum {
  MetricName: string;
  Dimensions: Dimension[];
  Timestamp: Date;
  Unit: 'Bytes' | 'Milliseconds' | 'Percent' | 'Count';
  Values: number[];
  Counts: number[];
}

/** At most 1,000 metrics, and 1 MB. */
export interface PutMetricData {
  Namespace: string;
  MetricData: MetricDatum[];
}

/** A question; at most 500 go together. */
export interface MetricDataQuery {
  Id: string;
  MetricStat: {
    Metric: { Namespace: string; MetricName: string; Dimensions: Dimension[] };
    /** Seconds. */
    Period: number;
    Stat: string;
  };
}

/** A page of questions and of what is asked of them. */
export interface GetMetricData {
  MetricDataQueries: MetricDataQuery[];
  StartTime: Date;
  EndTime: Date;
  ScanBy: 'TimestampAscending';
  MaxDatapoints: number;
  NextToken?: string | undefined;
}

/** Something that CloudWatch has to say of an answer. */
export interface Message {
  Code?: string | undefined;
  Value?: string | undefined;
}

/** A page of the answer to one question. */
export interface MetricDataResult {
  Id?: string | undefined;
  Timestamps?: Date[] | undefined;
  Values?: number[] | undefined;
  /** `Complete`, `PartialData` with more to come on the next page, `InternalError` or `Forbidden`. */
  StatusCode?: string | undefined;
  Messages?: Message[] | undefined;
}

/** A page of an answer. */
export interface GetMetricDataOutput {
  MetricDataResults?: MetricDataResult[] | undefined;
  NextToken?: string | undefined;
  Messages?: Message[] | undefined;
}

/** A page of metrics of a name; at most 500 come at a time. */
export interface ListMetrics {
  Namespace: string;
  MetricName: string;
  /** Dimensions that a metric must have. It may have others, too. */
  Dimensions: { Name: string }[];
  /** Metrics of the last three hours, more or less. Left out: of the last two weeks. */
  RecentlyActive?: 'PT3H';
  NextToken?: string | undefined;
}

/** A page of metrics. */
export interface ListMetricsOutput {
  Metrics?: { Dimensions?: { Name?: string | undefined; Value?: string | undefined }[] | undefined }[] | undefined;
  NextToken?: string | undefined;
}
