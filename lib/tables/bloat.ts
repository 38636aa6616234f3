import type { TableBloat } from './snapshot.ts';

/** What pgstattuple_approx answers. */
export interface TablePages {
  tableBytes: number;
  deadBytes: number;
  deadRows: number;
  freeBytes: number;
  scannedPercent: number;
}

/**
 * What of a table holds no row that anybody sees. Free space that its fillfactor asks for is no waste.
 *
 * @param fillfactor in percent
 */
export function tableWaste({ tableBytes, deadBytes, freeBytes }: TablePages, fillfactor: number): TableBloat {
  const wanted = tableBytes * (1 - fillfactor / 100);
  const wasted = Math.max(0, Math.min(tableBytes, deadBytes + Math.max(0, freeBytes - wanted)));
  return {
    wastedPercent: tableBytes === 0 ? 0 : Math.round((1000 * wasted) / tableBytes) / 10,
    wastedBytes: Math.round(wasted),
    deadBytes,
    freeBytes: Math.round(freeBytes),
  };
}
