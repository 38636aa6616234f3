/** What a terminal may be sent: names in a database may hold control characters, which it would obey. */

/**
 * A copy of what is shown, in which control characters can be read instead. Line breaks stay in SQL, and in statements, which are put on
 * one line; elsewhere a name could forge a heading.
 */
export function harmless<Shown extends object>(shown: Shown): Shown {
  return JSON.parse(JSON.stringify(shown), (key, value) => {
    if (typeof value !== 'string') return value;
    const unwanted = key === 'sql' || key === 'statement' ? /(?![\n\t])\p{Cc}/gu : /\p{Cc}/gu;
    return value.replace(unwanted, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
  });
}
