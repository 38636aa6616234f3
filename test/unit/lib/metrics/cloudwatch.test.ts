import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestsOf } from '../../../../lib/metrics/cloudwatch/write.ts';
import { measurement, noon, shop } from '../../../integration/lib/metrics/contract.ts';

const measurements = fc.array(
  fc.record({
    name: fc.constantFrom('HeapUsed', 'CpuTime', 'x'.repeat(255)),
    unit: fc.constantFrom('Bytes' as const, 'Count' as const),
    dimensions: fc.record({
      service: fc.constant('shop'),
      function: fc.constantFrom('cart', 'checkout', 'f'.repeat(1_024)),
      stage: fc.constantFrom('prod', 'dev'),
    }),
    at: fc.integer({ min: noon, max: noon + 400 }),
    values: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 400 }),
  }),
  { maxLength: 40 },
);

test('whatever is packed, no request is too large, no metric has too many values, and nothing is lost', () => {
  fc.assert(
    fc.property(measurements, (given) => {
      const requests = requestsOf(given);
      for (const request of requests) {
        expect(request.length).toBeLessThanOrEqual(1_000);
        expect(JSON.stringify({ Namespace: 'x'.repeat(255), MetricData: request }).length).toBeLessThanOrEqual(2 ** 20);
        for (const { Values, Counts } of request) {
          expect(Values.length).toBeLessThanOrEqual(150);
          expect(Counts.length).toBe(Values.length);
        }
      }
      const packed = requests
        .flat()
        .flatMap(({ MetricName, Dimensions, Timestamp, Unit, Values, Counts }) =>
          Values.flatMap((value, place) =>
            Array(Counts[place]).fill(
              [MetricName, Unit, ...Dimensions.map(({ Value }) => Value), Timestamp.getTime(), value + 0].join(),
            ),
          ),
        );
      const wanted = given.flatMap(({ name, unit, dimensions, at, values }) =>
        values.map((value) => [name, unit, ...Object.values(dimensions), at, value + 0].join()),
      );
      expect(packed.sort()).toEqual(wanted.sort());
    }),
    { numRuns: 100 },
  );
});

test('values of a metric at the same moment go together', () => {
  const given = [measurement({ values: [1, 2] }), measurement({ values: [2], dimensions: { ...shop } })];
  expect(requestsOf(given)).toMatchObject([[{ Values: [1, 2], Counts: [1, 2] }]]);
});
