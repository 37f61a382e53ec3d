/** Three checks of one kind: a value that istiod was installed with is the declared one. */
import {type ClusterSubject, type Finding, findingsOr, type Judgement, notApplicable, ok} from '../check.js';
import {reinstallFix} from '../fixes.js';

/** Where a value was seen. */
export interface SeenSetting {
  /** The Deployment. */
  readonly where: string;
  readonly value: string | undefined;
}

/** Compares what runs with what is declared; `undeclared` is said where mesh.yaml is silent. */
export function judgeSetting(
  setting: {readonly name: string; readonly declared: string | undefined; readonly seen: readonly SeenSetting[]},
  {cluster}: ClusterSubject,
): Judgement {
  const {name, declared, seen} = setting;
  if (declared === undefined) return notApplicable(`mesh.yaml declares no ${name}`);
  if (seen.length === 0) return notApplicable('no istiod runs here');
  const expected = `${name} ${declared}`;
  const fix = reinstallFix({cluster});
  const findings = seen
    .filter(({value}) => value !== declared)
    .map(({where, value}): Finding => ({
      observed: value === undefined || value === '' ? `${where} has no ${name}` : `${where} has ${name} ${value}`,
      expected,
      fix,
    }));
  return findingsOr(findings, () => ok(seen.map(({where}) => where).join(', '), expected));
}
