/** One rule for "every pod is Running and ready", for istiod and gateways alike. */
import type {Severity} from '../check.js';
import type {WorkloadFacts} from '../facts.js';

/** Something that keeps a Deployment from being well. */
export interface WorkloadProblem {
  readonly severity: Severity;
  readonly observed: string;
}

/** What is wrong with a Deployment's pods. Finished and evicted pods do not count; no pod at all does. */
export function workloadProblems({name, desired, pods}: WorkloadFacts): readonly WorkloadProblem[] {
  const present = pods.filter(({gone}) => !gone);
  const unready = present.filter(({ready}) => !ready);
  if (desired === 0 && present.length === 0) {
    return [{severity: 'error', observed: `${name} has no pod: it is scaled to 0`}];
  }
  const problems = unready.map((pod): WorkloadProblem => ({
    severity: 'error',
    observed: `${pod.name} is ${pod.phase}${pod.reason === '' ? '' : `: ${pod.reason}`}`,
  }));
  const tooFew =
    present.length < desired ? `${name} has ${String(present.length)} of ${String(desired)} pods` : undefined;
  return tooFew === undefined ? problems : [{severity: 'error', observed: tooFew}, ...problems];
}

/** `istiod 2/2, istio-ingressgateway 1/1`. */
export function describeWorkloads(workloads: readonly WorkloadFacts[]): string {
  return workloads
    .map(
      ({name, desired, pods}) =>
        `${name} ${String(pods.filter(({gone, ready}) => ready && !gone).length)}/${String(desired)}`,
    )
    .join(', ');
}
