import * as z from 'zod';
import { bytes } from '../../../advice/format.ts';
import { functionRule, nameOf, rounded } from '../function-rule.ts';

/** `memory/regressed`: the memory of a new version grows faster than that of the version before it, whatever the verdict on either. */
export const memoryRegressed = functionRule({
  id: 'memory/regressed',
  title: 'Memory grows faster since a deployment',
  why: 'What a deployment has made worse is found soonest while one still knows what was in it.',
  severity: 'warning',
  options: z.strictObject({ minSamples: z.int().min(1).default(20) }),
  judge(resources) {
    const before = resources.fleet?.before;
    if (before?.verdict !== 'worse') return undefined;
    const { bytesPerInvocation, environments, p, version } = before;
    return {
      title: `${nameOf(resources)} grows faster since version ${resources.version}`,
      detail: `By ${bytes(bytesPerInvocation)} more an invocation than version ${version}: ${environments.now} environments beside ${environments.before}.`,
      evidence: {
        versionBefore: version,
        bytesPerInvocation: rounded(bytesPerInvocation),
        environmentsBefore: environments.before,
        environmentsNow: environments.now,
        p,
      },
      action: {
        kind: 'code',
        caution: `Look at what changed between the versions ${version} and ${resources.version}, dependencies included; going back to the older one stops it.`,
      },
    };
  },
});
