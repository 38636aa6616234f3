/** PostgreSQL's NAMEDATALEN less the zero at the end: longer names are cut. */
const maxBytes = 63;

/**
 * The name that PostgreSQL itself would choose for an index: table, columns and `idx`, the longer of table and columns shortened
 * until it fits, a number behind it where the name is taken (`ChooseIndexName` and `makeObjectName` in
 * src/backend/commands/indexcmds.c). Only the names in `taken` are known here.
 *
 * @example
 * indexName('orders', ['customer_id', 'created_at'], []) // orders_customer_id_created_at_idx
 */
export function indexName(table: string, columns: readonly string[], taken: readonly string[]): string {
  const used = new Set(taken);
  for (let number = 0; ; number++) {
    const name = fitted(table, columns.join('_'), `idx${number || ''}`);
    if (!used.has(name)) return name;
  }
}

/** The name that PostgreSQL itself would choose for extended statistics, as {@link indexName} is made. */
export function statisticsName(table: string, columns: readonly string[]): string {
  return fitted(table, columns.join('_'), 'stat');
}

function fitted(table: string, columns: string, label: string): string {
  const room = maxBytes - Buffer.byteLength(label) - 2;
  let tableBytes = Buffer.byteLength(table);
  let columnBytes = Buffer.byteLength(columns);
  while (tableBytes + columnBytes > room) {
    if (tableBytes > columnBytes) tableBytes--;
    else columnBytes--;
  }
  return `${clipped(table, tableBytes)}_${clipped(columns, columnBytes)}_${label}`;
}

/** At most so many bytes, and no half of a character. */
function clipped(text: string, most: number): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(text).subarray(0, most), { stream: true });
}
