/** Four checks of one kind: a value that istiod was installed with is the declared one. */
import {type ClusterSubject, type Finding, findingsOr, type Judgement, notApplicable, ok} from '../check.js';
import type {WorkloadFacts} from '../../facts/facts.js';
import {reinstallFix} from '../fixes.js';

/** Compares what runs with what mesh.yaml declares, if it declares it. */
export function judgeSetting<Key extends string>(
  {name, declared, key}: {readonly name: string; readonly declared: string | undefined; readonly key: Key},
  seen: readonly ({readonly workload: WorkloadFacts} & Readonly<Partial<Record<Key, string>>>)[],
  subject: ClusterSubject,
): Judgement {
  if (declared === undefined) return notApplicable(`mesh.yaml declares no ${name}`);
  if (seen.length === 0) return notApplicable('no istiod runs here');
  const expected = `${name} ${declared}`;
  const findings = seen
    .filter((one) => one[key] !== declared)
    .map(({workload, [key]: value = ''}): Finding => ({
      observed: `${workload.name} has ${value === '' ? `no ${name}` : `${name} ${value}`}`,
      expected,
      fix: reinstallFix(subject),
    }));
  return findingsOr(findings, ok(seen.map(({workload}) => workload.name).join(', '), expected));
}
