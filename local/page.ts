import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, commonHeaders } from '../lib/http/problem.ts';

const directory = join(import.meta.dirname, '..', 'dashboard');

/** The files of the dashboard, by the path that they are served at. */
const files: Record<string, [name: string, type: string]> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/dashboard.js': ['dashboard.js', 'text/javascript; charset=utf-8'],
  '/dashboard.css': ['dashboard.css', 'text/css; charset=utf-8'],
};

/** The file of the dashboard at a path, if there is one. It may talk to this server and to nobody else. */
export async function page(path: string): Promise<Answer | undefined> {
  const file = files[path];
  if (!file) return undefined;
  const [name, type] = file;
  return {
    statusCode: 200,
    headers: {
      ...commonHeaders,
      'content-type': type,
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    },
    body: await readFile(join(directory, name), 'utf8'),
  };
}
