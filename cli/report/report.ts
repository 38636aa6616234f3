import type { Finding } from '../../lib/advice/finding.ts';
import type { Note, Server } from '../../lib/postgres/server.ts';

/** What a report tells. */
export interface Report {
  takenAt: string;
  server: Server;
  notes: Note[];
  findings: Finding[];
}
