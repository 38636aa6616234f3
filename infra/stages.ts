/**
 * A stage is one deployment, such as `dev` or `prod`. `stages` in cdk.json says what is special about
 * each, `-c stage=` chooses one, and what is not said has the default here.
 */
import * as z from 'zod';

/** Days for which CloudWatch can keep a log: it takes no other number. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const Stage = z.strictObject({
  logRetentionDays: z
    .literal(logRetentionDays)
    .default(30)
    .describe('Days for which the logs of the functions and of the API are kept.'),
  historyRetentionDays: z
    .int()
    .min(1)
    .max(3650)
    .default(40)
    .describe('Days for which snapshots and findings are kept: STREAMGATE_RETENTION_DAYS of the functions.'),
  requestsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .describe('What the API lets through in the long run, for all callers together. 10,000 is what an account has.'),
  requestBurst: z
    .int()
    .min(1)
    .max(5_000)
    .default(100)
    .describe('What the API lets through at once. 5,000 is what an account has.'),
  protect: z
    .boolean()
    .default(false)
    .describe('Refuse to delete the stack, and keep its secret and its logs when it is deleted all the same.'),
});

/** The checked configuration of a stage. */
export type Stage = z.infer<typeof Stage> & {
  /** The stage's name; the stack's name ends with it. */
  name: string;
};

const Stages = z.record(z.string(), Stage);

/**
 * Chooses and checks a stage.
 *
 * @param stages what the CDK context has under `stages`
 * @param name what it has under `stage`; nothing is `dev`
 * @throws Error that names the key and says what would be right
 */
export function readStage(stages: unknown, name: unknown = 'dev'): Stage {
  const parsed = Stages.safeParse(stages);
  if (!parsed.success) {
    const keys = Object.keys(Stage.shape).join(', ');
    throw new Error(
      `"stages" in cdk.json is not right. A stage has the keys ${keys}.\n${z.prettifyError(parsed.error)}`,
    );
  }
  const stage = typeof name === 'string' && Object.hasOwn(parsed.data, name) ? parsed.data[name] : undefined;
  if (!stage || typeof name !== 'string') {
    throw new Error(`There is no stage "${name}". "stages" in cdk.json has: ${Object.keys(parsed.data).join(', ')}.`);
  }
  return { name, ...stage };
}
