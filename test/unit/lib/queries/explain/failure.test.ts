import { describe, expect, it } from 'vitest';
import { StreamGateError } from '../../../../../lib/errors.ts';
import { failure, failureCodes, failureOf } from '../../../../../lib/queries/explain/failure.ts';

const refusal = (code: string) =>
  new StreamGateError('database-failed', 'It failed.', { cause: Object.assign(new Error("near 'secret'"), { code }) });

describe('failureOf', () => {
  it.each([
    ['42P01', 'missing-relation'],
    ['42703', 'missing-relation'],
    ['42883', 'missing-function'],
    ['42501', 'permission'],
    ['55P03', 'locked'],
    ['57014', 'timeout'],
    ['42P18', 'types'],
    ['42601', 'syntax'],
    ['54001', 'too-long'],
    ['XX000', 'other'],
    ['22012', 'other'],
  ])('%s is %s, in words of our own', (code, expected) => {
    expect(failureOf(refusal(code))).toEqual(failure(expected as (typeof failureCodes)[number]));
    expect(JSON.stringify(failureOf(refusal(code)))).not.toContain('secret');
  });

  it('is other for a plan that cannot be read', () => {
    expect(failureOf(new StreamGateError('plan-invalid', 'It is no plan.')).code).toBe('other');
  });

  it.each(['08006', '57P01', '57P03'])('throws what is not about the statement: %s', (code) => {
    const error = refusal(code);
    expect(() => failureOf(error)).toThrow(error);
  });

  it('throws what is no error of the database', () => {
    expect(() => failureOf(new TypeError('x'))).toThrow(TypeError);
  });
});

describe('failure', () => {
  it('has a sentence for each code', () => {
    for (const code of failureCodes) expect(failure(code).message).toMatch(/^[A-Z].*\.$/);
  });
});
