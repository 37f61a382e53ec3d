/** The rule shared by four checks: a setting of the running istiod equals the declared one. */
import {type ClusterSubject, type Finding, findingsOr, type Judgement, notApplicable, ok} from '../check.js';
import type {WorkloadFacts} from '../../facts/facts.js';
import {reinstallFix} from '../fixes.js';

/** Compares a running setting with mesh.yaml, if declared there. */
export function judgeSetting<Key extends string>(
  {name, declared, key}: {readonly name: string; readonly declared: string | undefined; readonly key: Key},
  running: readonly ({readonly workload: WorkloadFacts} & Readonly<Partial<Record<Key, string>>>)[],
  subject: ClusterSubject,
): Judgement {
  if (declared === undefined) return notApplicable(`mesh.yaml declares no ${name}`);
  if (running.length === 0) return notApplicable('no istiod runs here');
  const expected = `${name} ${declared}`;
  const findings = running
    .filter((one) => one[key] !== declared)
    .map(({workload, [key]: value = ''}): Finding => ({
      observed: `${workload.name} has ${value === '' ? `no ${name}` : `${name} ${value}`}`,
      expected,
      fix: reinstallFix(subject),
    }));
  return findingsOr(findings, ok(running.map(({workload}) => workload.name).join(', '), expected));
}
