import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ErrorCode, errorCodes, StreamGateError } from '../../../../lib/errors.ts';
import { Problem, problem } from '../../../../lib/http/problem.ts';

const log = vi.spyOn(console, 'error').mockImplementation(() => {});
beforeEach(() => void log.mockClear());
afterEach(() => void log.mockClear());

describe('a problem', () => {
  test.each(Object.entries(errorCodes))('of the code %s has its status and title', (code, { status, title }) => {
    const answer = problem(new StreamGateError(code as ErrorCode, 'What to do.'));
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(Problem.parse(JSON.parse(answer.body))).toEqual({
      type: `urn:streamgate:error:${code}`,
      title,
      status,
      code,
      detail: 'What to do.',
    });
  });

  test('is for no cache and no guess', () => {
    const { headers } = problem(new StreamGateError('history-empty', ''));
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  test('says how to log in only where a login is missing, and when to come back only where it may help', () => {
    const extra = (code: ErrorCode) =>
      Object.keys(problem(new StreamGateError(code, '')).headers).filter((name) => /^(www|retry)/.test(name));
    expect(extra('token-missing')).toEqual(['www-authenticate']);
    expect(extra('token-unknown')).toEqual(['www-authenticate']);
    expect(extra('database-unreachable')).toEqual(['retry-after']);
    expect(extra('scope-missing')).toEqual([]);
    expect(extra('parameter-invalid')).toEqual([]);
  });
});

describe('an error that nobody foresaw', () => {
  test.each([
    [new Error('geheim')],
    ['geheim'],
    [{ message: 'geheim', code: 'history-empty', status: 200 }],
    [undefined],
    [null],
  ])('is internal, and told to the log alone: %j', (thrown) => {
    const answer = problem(thrown);
    expect(answer.statusCode).toBe(500);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'internal', status: 500 });
    expect(JSON.stringify(answer)).not.toContain('geheim');
    expect(log).toHaveBeenCalledExactlyOnceWith(thrown);
  });

  test('is the only one that is logged', () => {
    problem(new StreamGateError('database-unknown', ''));
    expect(log).not.toHaveBeenCalled();
  });

  test('may have a cause of ours and is internal all the same', () => {
    const wrapped = new Error('geheim', { cause: new StreamGateError('history-empty', '') });
    expect(problem(wrapped).statusCode).toBe(500);
  });
});
