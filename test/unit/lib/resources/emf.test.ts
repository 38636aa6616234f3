import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { embeddedMetricLine } from '../../../../lib/metrics/embedded.ts';
import { emf, type SampleEmfOptions, sampleLine } from '../../../../lib/resources/emf.ts';
import type { Sample } from '../../../../lib/resources/sample.ts';
import { environment, sample } from './leak-series.ts';

/**
 * The published JSON schema of the format, as z.fromJSONSchema reads it; "DimensionSet" has at most 30 names by the text of the page.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
const published = z.fromJSONSchema({
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      properties: {
        Timestamp: { type: 'integer' },
        CloudWatchMetrics: {
          type: 'array',
          items: {
            type: 'object',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            properties: {
              Namespace: { type: 'string', minLength: 1, maxLength: 1024, pattern: '^(.*)$' },
              Dimensions: {
                type: 'array',
                minItems: 1,
                items: {
                  type: 'array',
                  minItems: 0,
                  maxItems: 30,
                  items: { type: 'string', minLength: 1, maxLength: 250, pattern: '^(.*)$' },
                },
              },
              Metrics: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['Name'],
                  properties: {
                    Name: { type: 'string', minLength: 1, maxLength: 1024, pattern: '^(.*)$' },
                    Unit: {
                      type: 'string',
                      pattern:
                        '^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits|Percent|Count|Bytes\\/Second|Kilobytes\\/Second|Megabytes\\/Second|Gigabytes\\/Second|Terabytes\\/Second|Bits\\/Second|Kilobits\\/Second|Megabits\\/Second|Gigabits\\/Second|Terabits\\/Second|Count\\/Second|None)$',
                    },
                    StorageResolution: { type: 'integer', enum: [1, 60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
});

type Line = {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[];
  };
  environment: object;
  sample: Sample;
} & Record<string, unknown>;

/** Reads a line as CloudWatch does. @throws where it would make no metrics of it */
function read(line: string): Line {
  expect(line).not.toContain('\n');
  expect(Buffer.byteLength(line)).toBeLessThan(256 * 1024);
  const document = JSON.parse(line) as Line;
  published.parse(document);
  for (const { Dimensions, Metrics } of document._aws.CloudWatchMetrics) {
    expect(Metrics.length).toBeLessThanOrEqual(100);
    for (const name of Dimensions.flat()) expect(document[name]).toMatch(/^[\x20-\x7e]{1,1024}$/);
    for (const { Name } of Metrics) {
      const values = [document[Name]].flat();
      expect(values.length).toBeGreaterThan(0);
      expect(values.length).toBeLessThanOrEqual(100);
      for (const value of values) expect(Number.isFinite(value)).toBe(true);
    }
  }
  return document;
}

const metricsOf = (line: Line) => line._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
const floor = { heapBytes: 600, externalBytes: 200, collectMs: 12 };

describe('the line of a sample', () => {
  test('is one that CloudWatch makes twelve metrics of', () => {
    const line = read(sampleLine([sample(100, { floor })], environment()));
    expect(metricsOf(line)).toHaveLength(12);
    expect(line).toMatchObject({
      HeapUsed: 40 * 2 ** 20,
      HeapFloor: 600,
      CpuTime: 10,
      WallTime: 20,
      EventLoopUtilization: 50,
      OpenDescriptors: 20,
      ResourcesLeftRunning: 0,
    });
  });

  test('has the service, the function and the stage as dimensions, and no environment', () => {
    const line = read(sampleLine([sample(1)], environment({ id: 'e-1' }), { service: 'shop', namespace: 'Shop' }));
    expect(line._aws.CloudWatchMetrics[0]).toMatchObject({
      Namespace: 'Shop',
      Dimensions: [['service', 'function', 'stage']],
    });
    expect(line).toMatchObject({
      service: 'shop',
      function: 'shop',
      stage: 'prod',
      environment: { id: 'e-1', version: '7' },
    });
  });

  test('leaves out what there is no value of', () => {
    const line = read(sampleLine([sample(1, { descriptors: null, cpuMs: Number.NaN })], environment()));
    expect(metricsOf(line)).toHaveLength(9);
    for (const name of ['HeapFloor', 'OpenDescriptors', 'CpuTime']) expect(line).not.toHaveProperty(name);
  });

  test('has the values of all samples, and is of the time of the last one', () => {
    const samples = [
      sample(10, { cpuMs: 1, at: '2026-01-01T00:00:00.000Z' }),
      sample(20, { cpuMs: 2, floor, at: '2026-01-01T00:00:01.000Z' }),
      sample(30, { cpuMs: 3, at: '2026-01-01T00:00:02.000Z' }),
    ];
    const line = read(sampleLine(samples, environment()));
    expect(line).toMatchObject({ CpuTime: [1, 2, 3], HeapFloor: 600, sample: { invocation: 20 } });
    expect(line._aws.Timestamp).toBe(Date.parse('2026-01-01T00:00:02.000Z'));
  });

  test('is right for a hundred of whatever samples', () => {
    const figures = fc.array(
      fc.record({ heapUsedBytes: fc.double(), cpuMs: fc.double(), descriptors: fc.option(fc.nat()) }),
      {
        minLength: 1,
        maxLength: 100,
      },
    );
    fc.assert(
      fc.property(
        figures,
        (given) =>
          void read(
            sampleLine(
              given.map((one) => sample(1, one)),
              environment(),
            ),
          ),
      ),
    );
  });
});

test('a line without any value has no metrics', () => {
  const line = read(
    embeddedMetricLine({ at: 1, namespace: 'N', dimensions: { service: 's' }, metrics: { Count: { A: null, B: [] } } }),
  );
  expect(metricsOf(line)).toEqual([]);
});

describe('the sink', () => {
  let lines: Line[];
  beforeEach(() => {
    lines = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(read(String(text).replace(/\n$/, '')));
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  const at = (seconds: number, overrides: Partial<Sample> = {}) =>
    sample(seconds, { at: new Date(1_000 * seconds).toISOString(), ...overrides });
  const here = environment();
  const invocations = () => lines.map((line) => [line.HeapUsed].flat().length);

  test('writes the first sample at once', () => {
    emf()(at(0), here);
    expect(invocations()).toEqual([1]);
  });

  test('writes a line in ten seconds, with all samples since the one before', () => {
    const write = emf();
    for (let seconds = 0; seconds <= 25; seconds++) write(at(seconds), here);
    expect(invocations()).toEqual([1, 10, 10]);
    expect(lines.map(({ _aws }) => _aws.Timestamp)).toEqual([0, 10_000, 20_000]);
  });

  test('writes every sample when they are rare', () => {
    const write = emf();
    for (const seconds of [0, 60, 120]) write(at(seconds), here);
    expect(invocations()).toEqual([1, 1, 1]);
  });

  test('writes what waited through a freeze with the time that it is of', () => {
    const write = emf();
    for (const seconds of [0, 1, 2, 3_600]) write(at(seconds), here);
    expect(lines.map(({ _aws }) => _aws.Timestamp)).toEqual([0, 2_000, 3_600_000]);
    expect(invocations()).toEqual([1, 2, 1]);
  });

  test('never puts more than 100 samples in a line', () => {
    const write = emf();
    for (let count = 0; count < 301; count++) write(at(count / 1_000), here);
    expect(invocations()).toEqual([1, 100, 100, 100]);
  });

  test('keeps environments apart', () => {
    const write = emf();
    const there = environment({ id: 'two', function: 'cart' });
    for (const where of [here, there, here, there]) write(at(0), where);
    write(at(10), here);
    expect(lines.map((line) => line.function)).toEqual(['shop', 'cart', 'shop']);
    expect(invocations()).toEqual([1, 1, 2]);
  });

  test.each([
    [{ namespaces: 'Shop' }],
    [{ namespace: '' }],
    [{ namespace: 'AWS/Lambda' }],
    [{ service: '' }],
    [{ service: 'ünicorn' }],
    [{ everyMs: -1 }],
    [{ everyMs: Number.NaN }],
  ])('refuses %j', (options) => {
    expect(() => emf(options as SampleEmfOptions)).toThrow(expect.objectContaining({ code: 'option-invalid' }));
  });
});
