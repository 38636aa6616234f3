/** What auto_explain wrote about one statement. */
export interface LogEntry {
  durationMs: number;
  /** The query's text and its plan, in text or JSON, without what the log put before its lines. */
  body: string;
}

const marker = /duration: (\d{1,15}(?:\.\d{1,9})?) ms {1,4}plan:/;
/** The word before each message of PostgreSQL's log, which two spaces follow. */
const severity =
  /\b(?:DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|LOCATION): {2}/;

/**
 * The entries of auto_explain in a log, or a part of one: stderr with any log_line_prefix, csvlog, jsonlog, and each with a
 * prefix on every line that a container or a log service adds, as long as it has the same width.
 * https://www.postgresql.org/docs/current/auto-explain.html
 */
export function logEntries(text: string): LogEntry[] {
  const lines = text.split('\n');
  const entries: LogEntry[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = (lines[at] ?? '').replace(/\r$/, '');
    const match = marker.exec(line);
    if (!match) {
      at++;
      continue;
    }
    const durationMs = Number(match[1]);
    if (line.startsWith('{')) {
      entries.push(...jsonEntries(line));
      at++;
    } else if (line.charAt(match.index - 1) === '"') {
      const { body, next } = csvBody(lines, at, match.index + match[0].length);
      entries.push({ durationMs, body });
      at = next;
    } else {
      const { body, next } = stderrBody(lines, at + 1);
      entries.push({ durationMs, body });
      at = next;
    }
  }
  return entries;
}

/** A line of jsonlog, or of a log service: some text in it is the message. */
function jsonEntries(line: string): LogEntry[] {
  try {
    return messagesIn(JSON.parse(line)).flatMap(logEntries);
  } catch {
    return [];
  }
}

/** The texts in a JSON value that hold an entry, such as the events of `aws logs filter-log-events`. */
export function messagesIn(value: unknown): string[] {
  const messages: string[] = [];
  const left = [value];
  while (left.length > 0) {
    const at = left.pop();
    if (typeof at === 'string' && marker.test(at)) messages.push(at);
    if (typeof at === 'object' && at !== null) for (const child of Object.values(at).reverse()) left.push(child);
  }
  return messages;
}

/** The rest of a quoted field, in which quotes are doubled. */
function csvBody(lines: readonly string[], start: number, from: number): { body: string; next: number } {
  const parts: string[] = [];
  let next = start;
  for (let open = true; open && next < lines.length; next++) {
    const line = (lines[next] ?? '').slice(next === start ? from : 0).replace(/\r$/, '');
    const end = endOfField(line);
    parts.push(line.slice(0, end));
    open = end === line.length;
  }
  return { body: parts.slice(1).join('\n').replaceAll('""', '"'), next };
}

/** Where the first quote is that is not doubled, or the end. */
function endOfField(line: string): number {
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 2)) {
    if (line.charAt(at + 1) !== '"') return at;
  }
  return line.length;
}

/** PostgreSQL puts a tab before each further line of a message; where it was lost, the next message ends the entry. */
function stderrBody(lines: readonly string[], start: number): { body: string; next: number } {
  const first = lines[start] ?? '';
  const tab = first.indexOf('\t');
  const isTabbed = tab >= 0 && /^\s*(?:Query Text:|\{|\S.*\(cost=)/.test(first.slice(tab + 1));
  const belongs = (line: string | undefined) =>
    line !== undefined && (isTabbed ? line.charAt(tab) === '\t' : !severity.test(line) && !marker.test(line));
  let next = start;
  // Editors take the lone tab from an empty line.
  while (belongs(lines[next]) || (lines[next]?.trim() === '' && belongs(lines[next + 1]))) next++;
  const indentation = isTabbed ? tab + 1 : columnOf(first);
  const body = lines.slice(start, next).map((line) => {
    const from = isTabbed ? indentation : Math.min(indentation, columnOf(line));
    return line.slice(from).replace(/\r$/, '');
  });
  return { body: body.join('\n'), next };
}

function columnOf(line: string): number {
  return line.length - line.trimStart().length;
}
