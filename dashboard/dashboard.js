/**
 * The page: what the API says, once a minute. The token comes after the # of the address, which
 * browsers never send, and is kept for this tab alone.
 */
const refreshMs = 60_000;
const find = (id) => document.getElementById(id);

const fromAddress = new URLSearchParams(location.hash.slice(1)).get('token');
if (fromAddress) {
  sessionStorage.setItem('token', fromAddress);
  history.replaceState(null, '', location.pathname);
}

find('login').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', find('token').value);
  show();
});

await show();
setInterval(show, refreshMs);

async function show() {
  try {
    const [recommendations, statistics, statements, indexes] = await Promise.all([
      get('recommendations?limit=100'),
      get('queries/stats'),
      get('queries/metrics?limit=15'),
      get('indexes/metrics?limit=15'),
    ]);
    find('problem').hidden = true;
    find('login').hidden = true;
    const { database, takenAt, notes } = recommendations.meta;
    find('about').textContent = `${database}, audited ${new Date(takenAt).toLocaleString()}`;
    find('figures').replaceChildren(
      figure('Open recommendations', number(recommendations.meta.total)),
      figure('Slow statements', number(statistics.data.slowStatements)),
      figure('Mean of a call', ms(statistics.data.meanMs)),
      figure('Read from memory', percent(statistics.data.cacheHitPercent)),
      figure('Statements', number(statistics.data.statements)),
      figure('Indexes', number(indexes.meta.total)),
    );
    find('recommendations').replaceChildren(...recommendations.data.map(recommendation));
    if (recommendations.data.length === 0) find('recommendations').append(element('li', 'Nothing to recommend.'));
    table('statements', ['Statement', 'Calls', 'Mean', 'Total', 'Time'], statements.data, (row) => [
      row.query,
      number(row.calls),
      ms(row.meanMs),
      ms(row.totalMs),
      percent(row.timeSharePercent),
    ]);
    table('indexes', ['Index', 'Table', 'Size', 'Scans', 'Wasted'], indexes.data, (row) => [
      row.index,
      row.table,
      size(row.sizeBytes),
      number(row.scans),
      percent(row.fragmentation?.wastedPercent ?? null),
    ]);
    find('notes').replaceChildren(...notes.map(({ message }) => element('li', message)));
  } catch (error) {
    find('problem').textContent = error.message;
    find('problem').hidden = false;
    find('login').hidden = error.status !== 401;
  }
}

async function get(path) {
  const token = sessionStorage.getItem('token');
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  // A browser may show what is stale before it asks; what is shown here is to be what the service knows.
  const response = await fetch(`/optimization/${path}`, { headers, cache: 'no-cache' });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail ?? response.statusText), { status: response.status });
  return body;
}

function recommendation({ severity, rule, title, detail, action }) {
  const item = document.createElement('li');
  const head = element('p', '');
  head.append(element('span', severity, `severity ${severity}`), ' ', element('span', rule, 'dim'));
  item.append(head, element('h3', title), element('p', detail));
  if (action?.sql) item.append(element('pre', action.sql));
  if (action?.caution) item.append(element('p', action.caution, 'dim'));
  return item;
}

function table(id, heads, rows, cells) {
  const header = document.createElement('tr');
  header.append(...heads.map((head, i) => Object.assign(element('th', head, i > 0 ? 'number' : ''), { scope: 'col' })));
  const lines = rows.map((row) => {
    const line = document.createElement('tr');
    line.append(
      ...cells(row).map((cell, i) =>
        Object.assign(element('td', cell, i > 0 ? 'number' : 'code'), { title: i > 0 ? '' : cell }),
      ),
    );
    return line;
  });
  find(id).replaceChildren(header, ...lines);
}

function figure(name, value) {
  const box = document.createElement('div');
  box.append(element('dt', name), element('dd', value));
  return box;
}

/** Text is always set as text: names in a database may look like markup. */
function element(tag, text, className = '') {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

function number(value) {
  return value.toLocaleString('en-US');
}

function percent(value) {
  return value === null ? '–' : `${value.toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
}

function ms(value) {
  return value >= 1000
    ? `${(value / 1000).toLocaleString('en-US', { maximumFractionDigits: 1 })} s`
    : `${value.toLocaleString('en-US', { maximumSignificantDigits: 2 })} ms`;
}

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** unit).toLocaleString('en-US', { maximumFractionDigits: 1 })} ${units[unit]}`;
}
