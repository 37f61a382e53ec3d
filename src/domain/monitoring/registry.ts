/** Every group of alert rules. A new one is a file in groups/ and a line here; docs/monitoring.md has a runbook for each alert. */
import {certificateRules} from './groups/certificates.js';
import {discoveryRules} from './groups/discovery.js';
import {istiodCaRules} from './groups/istiod-ca.js';
import {runRules} from './groups/run.js';
import {signingRules} from './groups/signing.js';
import {trustRules} from './groups/trust.js';
import type {RuleGroup} from './rule.js';

export const ruleGroups: readonly RuleGroup[] = [
  certificateRules,
  trustRules,
  runRules,
  istiodCaRules,
  signingRules,
  discoveryRules,
];
