/**
 * Settings that an application makes for itself, such as `app.tenant`, and that policies of row-level security, functions and
 * views ask for: `tenant_id = current_setting('app.tenant')::int`. PostgreSQL runs these when it plans, and refuses the
 * statement where there is no such setting, or none that fits. So they are made up, for the transaction only; they decide about
 * estimates, not about what is planned.
 *
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
 */
import { sqlState } from '../../postgres/errors.ts';

/** Values by the names of settings. */
export type ApplicationSettings = Readonly<Record<string, string>>;

/**
 * The names that policies, functions and views ask for, as the only place where they stand. A setting that was made up before is
 * there for the rest of the connection, and empty: PostgreSQL does not name it any more.
 */
export const settingNamesSql = `
select distinct found[1] as name
from (
  select pg_get_expr(polqual, polrelid) as source from pg_policy
  union all select prosrc from pg_proc where prosrc like '%current_setting%'
  union all select pg_get_viewdef(ev_class) from pg_rewrite
  where rulename = '_RETURN' and ev_class >= 16384 and ev_action::text ~ ':funcid (2077|3294) '
) sources
cross join lateral regexp_matches(source, 'current_setting\\s*\\(\\s*''([^'']+\\.[^'']+)''', 'gi') as found
limit 100`;

/** Of each type that applications cast to, a value that tells by its digits which setting it is of. */
const kinds: readonly ((digits: string) => string)[] = [
  // A number, a text, JSON.
  (digits) => `1${digits}`,
  (digits) => `00000000-0000-0000-0000-00000000${digits}`,
  (digits) => `2000-01-01 00:00:00.00${digits}`,
  () => 'true',
  () => '{}',
];

/** undefined_object */
const missing = '42704';

/** invalid_text_representation, invalid_datetime_format, datetime_field_overflow, numeric_value_out_of_range: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const unfit = new Set(['22P02', '22007', '22008', '22003']);

/**
 * The settings to try after an error of the planner; undefined where it was not about them.
 *
 * @param names those that may be asked for
 */
export function nextSettings(
  settings: ApplicationSettings,
  names: readonly string[],
  error: unknown,
): ApplicationSettings | undefined {
  const state = sqlState(error) ?? '';
  const { message = '', position } = ((error as Error).cause ?? {}) as { message?: string; position?: string };
  // What points at the text is about what stands there.
  if (position !== undefined || (state !== missing && !unfit.has(state))) return undefined;
  // PostgreSQL names the setting in every language as it is written, and all that applications make have a dot.
  const named = state === missing ? /[\p{L}_][\p{L}\d_$]*(?:\.[\p{L}_][\p{L}\d_$]*)+/u.exec(message)?.[0] : undefined;
  const wanted = [...new Set([...names, ...(named === undefined ? [] : [named])])].filter(
    (name) => !(name in settings),
  );
  if (wanted.length > 0) {
    const first = Object.keys(settings).length;
    return { ...settings, ...Object.fromEntries(wanted.map((name, i) => [name, valueFor(first + i, 0)])) };
  }
  return unfit.has(state) ? withOtherKind(settings, message) : undefined;
}

function valueFor(at: number, kind: number): string {
  return kinds[kind]?.(String(at + 1).padStart(4, '0')) ?? '';
}

/** PostgreSQL quotes the value that is not of the type. */
function withOtherKind(settings: ApplicationSettings, message: string): ApplicationSettings | undefined {
  for (const [at, [name, value]] of Object.entries(settings).entries()) {
    const kind = kinds.findIndex((_, each) => valueFor(at, each) === value);
    if (message.includes(value) && kind + 1 < kinds.length) return { ...settings, [name]: valueFor(at, kind + 1) };
  }
  return undefined;
}
