/** The command line: `streamgate audit | advise | explain | snapshot | start`. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { severities } from '../lib/advice/finding.ts';
import { StreamGateError } from '../lib/errors.ts';
import { version } from '../lib/version.ts';
import { advise, readSeconds, readSize } from './advise.ts';
import { audit } from './audit.ts';
import { explain } from './explain.ts';
import { formats } from './report.ts';
import { hideSecrets } from './secrets.ts';
import { snapshot } from './snapshot.ts';

/** Usage, connection and permission errors. 1 means findings. */
const failed = 2;

const program = new Command('streamgate')
  .description('Says what slows a PostgreSQL database down, why, and the SQL that mends it.')
  .version(version)
  .showSuggestionAfterError(false)
  .configureHelp({ showGlobalOptions: true })
  // Commander repeats the words that it does not understand, and one of them may be a URL with a password.
  .configureOutput({ outputError: (message, write) => write(hideSecrets(message)) })
  .exitOverride();

program
  .command('audit')
  .description('Audits a database, or a snapshot of one, and reports what to change. Reads only.')
  .argument('[target]', 'postgres://USER:PASSWORD@HOST:5432/DATABASE, or a snapshot file (default: $DATABASE_URL)')
  .addOption(new Option('--format <format>', 'how to print the report').choices([...formats]).default('text'))
  .addOption(
    new Option('--fail-on <severity>', 'exit 1 when there is a finding at least this bad').choices([...severities]),
  )
  .option('--only <rules>', 'run these rules alone, separated by commas', list)
  .option('--config <file>', 'rule options (default: streamgate.config.json, if there is one)')
  .action(async (target: string | undefined, options) => {
    process.exitCode = await audit({ target, ...options });
  });

program
  .command('explain')
  .description('Prints the plan of a statement as a tree, and what is wrong with it. Runs nothing without --analyze.')
  .argument(
    '[target]',
    'postgres://USER:PASSWORD@HOST:5432/DATABASE (default: $DATABASE_URL), or a file with plans, - for standard input',
  )
  .argument('[statement]', 'the statement, in quotes; its constants may be $1, $2, …')
  .option('--analyze', 'run it, if it only reads, and measure')
  .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'))
  .option('--config <file>', 'rule options (default: streamgate.config.json, if there is one)')
  .action(explain);

program
  .command('advise')
  .description('Chooses the indexes that a workload should have, within a size. Builds nothing without --on-copy.')
  .argument('[url]', 'postgres://USER:PASSWORD@HOST:5432/DATABASE (default: $DATABASE_URL)')
  .option('--budget <size>', 'what all new indexes together may take, such as 500MB (default: any size)', readSize)
  .option('--workload <file>', 'statements, separated by semicolons (default: those of pg_stat_statements)')
  .option('--constants', 'let constants of the workload file become conditions of indexes, which then show them')
  .option('--timeout <seconds>', 'answer with the best that was found by then', readSeconds, 60)
  .option('--on-copy', 'the database is a copy that nobody uses: build indexes there, and take them back')
  .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'))
  .action(advise);

program
  .command('snapshot')
  .description('Prints what an audit would look at, as JSON: keep it, compare it, audit it later. Reads only.')
  .argument('[url]', 'postgres://USER:PASSWORD@HOST:5432/DATABASE (default: $DATABASE_URL)')
  .action(snapshot);

program
  .command('start')
  .description('Runs everything on this machine: an embedded PostgreSQL with a demo, or your DATABASE_URL.')
  .action(async () => {
    // The embedded services are no part of an installed package, so they are loaded only here.
    const { start } = await import('../local/start.ts');
    await start();
  });

function list(value: string): string[] {
  const items = value.split(',').map((item) => item.trim());
  if (items.some((item) => item === '')) throw new InvalidArgumentError('Separate rule ids with single commas.');
  return items;
}

// A reader that has seen enough, such as `head`, closes the pipe: no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`streamgate: The report could not be written (${error.code}).\n`);
  process.exit(failed);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its one line, or the help that was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : failed;
  } else {
    const message = error instanceof StreamGateError ? error.message : String((error as Error).stack ?? error);
    process.stderr.write(`streamgate: ${message}\n`);
    process.exitCode = failed;
  }
}
