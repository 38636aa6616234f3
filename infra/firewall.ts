import { CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import * as waf from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import type { Stage } from './stage.ts';

/** CloudFront takes a firewall from nowhere else. */
const region = 'us-east-1';

const outputName = 'WebAclArn';

/** The firewall before CloudFront, in a stack of its own since it can only stand in us-east-1. */
export class FirewallStack extends Stack {
  constructor(scope: Construct, stage: Stage, requestsPerFiveMinutes: number) {
    super(scope, FirewallStack.nameOf(stage), {
      env: { region, ...(stage.account ? { account: stage.account } : {}) },
      description: 'StreamGate: the firewall before CloudFront.',
      terminationProtection: stage.protect,
      tags: { service: 'streamgate', stage: stage.name },
    });
    const acl = new waf.CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visible('StreamGate'),
      rules: [
        rateRule(requestsPerFiveMinutes),
        ...['AWSManagedRulesCommonRuleSet', 'AWSManagedRulesKnownBadInputsRuleSet'].map(managedRule),
      ],
    });
    new CfnOutput(this, outputName, { value: acl.attrArn, description: 'For the distribution of CloudFront.' });
  }

  private static nameOf({ name }: Stage): string {
    return `StreamGate-${name}-Firewall`;
  }

  /** The ARN of the firewall of a stage, as another stack in another region reads it. */
  static arnOf(stage: Stage): string {
    return Fn.getStackOutput(FirewallStack.nameOf(stage), outputName, region);
  }
}

function visible(metricName: string): waf.CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}

function rateRule(limit: number): waf.CfnWebACL.RuleProperty {
  return {
    name: 'RateByAddress',
    priority: 0,
    action: { block: {} },
    statement: { rateBasedStatement: { limit, aggregateKeyType: 'IP', evaluationWindowSec: 300 } },
    visibilityConfig: visible('RateByAddress'),
  };
}

function managedRule(name: string, position: number): waf.CfnWebACL.RuleProperty {
  return {
    name,
    priority: position + 1,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
    visibilityConfig: visible(name),
  };
}
