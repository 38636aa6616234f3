/** Lines of nothing but what tables are drawn with. */
const ruler = /^[-=+|─═┌┬┐└┴┘├┼┤│╔╦╗╚╩╝╠╬╣║╟╢╞╡]{3,}$/;
/** `(12 rows)` below a table, in whatever language. */
const footer = /^\(\d{1,9} \p{L}{1,20}\)$/u;
const borders = ['|', '│', '║'];
const expanded = 'QUERY PLAN | ';

/** Whether a line is the header that psql and others put above the answer of EXPLAIN. */
export function isHeader(line: string): boolean {
  return line.includes('QUERY PLAN') && /^["'|│║\s]*QUERY PLAN["'|│║\s]*$/.test(line);
}

/**
 * Takes off what terminals and clients put around one answer of EXPLAIN: the header and all before it, rulers, borders, the
 * signs of a continued line, quotes around each line or around all, and the count of rows with all behind it. What was not
 * framed comes back as it was, in lines.
 */
export function unframed(text: string): string[] {
  const all = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  const body = all
    .slice(all.findIndex(isHeader) + 1)
    .map(withoutBorder)
    .filter((line) => !ruler.test(line.trim()));
  const end = body.findIndex((line) => footer.test(line.trim()));
  const lines = end > 0 ? body.slice(0, end) : body;
  const first = lines.find((line) => line.trim() !== '')?.trim() ?? '';
  if (first.startsWith('"') || first.startsWith("'")) return withoutQuotes(lines, first.charAt(0));
  // Only JSON stands in one row of several lines, and no line of JSON ends so by itself.
  return /^[[{]\s*[+↵]$/.test(first) ? lines.map(withoutContinuation) : lines;
}

/** `| Limit  (cost=…) |`, and in psql's expanded form `QUERY PLAN | Limit  (cost=…)`. */
function withoutBorder(line: string): string {
  if (line.startsWith(expanded)) return line.slice(expanded.length);
  const end = line.trimEnd();
  const border = borders.find((sign) => end.length > 1 && line.startsWith(sign) && end.endsWith(sign));
  return border ? end.slice(1, -1) : line;
}

function withoutQuotes(lines: string[], quote: string): string[] {
  const single = (line: string) => line.replaceAll(quote + quote, quote);
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const isQuoted = (line: string) => line.length > 1 && line.startsWith(quote) && line.endsWith(quote);
  if (isQuoted((lines[first] ?? '').trim())) {
    return lines.map((line) => (isQuoted(line.trim()) ? single(line.trim().slice(1, -1)) : line));
  }
  const whole = lines
    .slice(first, last + 1)
    .join('\n')
    .trim();
  return (isQuoted(whole) ? single(whole.slice(1, -1)) : whole).split('\n');
}

function withoutContinuation(line: string): string {
  const content = line.trimEnd();
  return content.endsWith('+') || content.endsWith('↵') ? content.slice(0, -1).trimEnd() : line;
}
