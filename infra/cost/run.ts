/** Estimates what the stages cost in a month: `npm run cost`, `npm run cost -- --stage prod --requests 5000000`. */
import { App } from 'aws-cdk-lib';
import { Command, InvalidArgumentError } from 'commander';
import { bundle } from '../bundle.ts';
import { StreamGateStack } from '../stack.ts';
import { readStage, stageNames } from '../stages.ts';
import { type CostLine, estimate, type Template, total } from './estimate.ts';
import { priceList } from './prices.ts';
import { profiles, Traffic } from './traffic.ts';

const number = (text: string) => {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Not a number.');
  return Number(text);
};

const { stage, requests, hitRate } = new Command('npm run cost --')
  .description('Estimates what a deployment costs in a month.')
  .option('--stage <name>', 'one stage, line by line; all of them, summed up, when left out')
  .option('--requests <number>', 'of the API, a month', number)
  .option('--hit-rate <share>', 'what CloudFront answers by itself, 0 to 1', number)
  .parse()
  .opts<{ stage?: string; requests?: number; hitRate?: number }>();

const own =
  requests === undefined && hitRate === undefined ? {} : { own: { requestsPerMonth: requests, edgeHitRate: hitRate } };
const bundles = await bundle();

for (const name of stage === undefined ? stageNames() : [stage]) {
  const templates = await templatesOf(name);
  console.log(`\n${name}`);
  for (const [profile, given] of Object.entries({ ...profiles, ...own })) {
    const lines = estimate(templates, Traffic.parse(given));
    console.log(`${money(total(lines))}  ${profile}`);
    if (stage !== undefined) for (const each of lines) console.log(describe(each));
  }
}
console.log(
  `\n${priceList.currency} a month, ${priceList.region}, prices of ${priceList.dated}. ${priceList.source}\nidle: nobody asks; team: 100,000 requests; busy: 30,000,000. infra/cost/traffic.ts says what else they assume.`,
);

async function templatesOf(name: string): Promise<Template[]> {
  const app = new App({ analyticsReporting: false });
  new StreamGateStack(app, await readStage(name), bundles);
  const assembly = app.synth();
  return assembly.stacks.map(({ template }) => template as Template);
}

function describe({ what, price, quantity, cost }: CostLine): string {
  const amount = quantity.toLocaleString('en-US', { maximumFractionDigits: quantity < 10 ? 3 : 0 });
  return `${money(cost)}    ${what}: ${amount} × ${priceList.prices[price].price} per ${priceList.prices[price].per}`;
}

function money(amount: number): string {
  return amount.toFixed(2).padStart(9);
}
