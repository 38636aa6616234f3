/**
 * Runs one section and hands it to the process that asked for it: `section.ts FILE EXPORT`. A process for
 * each, so that none runs in what another has left behind.
 */
import type { Section } from './measure.ts';

// So that it takes its own children with it.
process.once('SIGTERM', () => process.exit(1));

const [file = '', name = ''] = process.argv.slice(2);
const sections = (await import(`./${file}`)) as Record<string, () => Promise<Section>>;
const run = sections[name];
if (!run) throw new Error(`${file} has no section "${name}".`);
const section = await run();
// What a peer has left open, timers say, must not hold this process.
if (process.send) process.send(section, () => process.exit());
else {
  const { markdownOf } = await import('./measure.ts');
  console.log(markdownOf(section));
  process.exit();
}
