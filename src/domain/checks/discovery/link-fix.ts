import type {ControlPlaneFacts, IstiodMetrics, PodPart} from '../../facts/facts.js';
import {remoteSecretDefects} from '../../istio/remote-secret-defects.js';
import {affects} from '../../istio/since.js';
import {kubectlMesh, type Suggestion} from '../../suggest/suggestion.js';
import type {PairSubject} from '../check.js';
import {runningVersions} from '../control-plane/running-versions.js';

/** Writes the reader's remote secrets as declared; restarts an istiod that would otherwise lose endpoints by that. */
export function linkFix(
  {cluster}: Pick<PairSubject, 'cluster'>,
  controlPlanes: readonly ControlPlaneFacts[],
  metrics: readonly PodPart<IstiodMetrics>[] = [],
): Suggestion {
  const restart = losesEndpoints(controlPlanes, metrics) ? ['--restart-istiod'] : [];
  return kubectlMesh('link', [cluster.name, ...restart, '--yes']);
}

/** Whether one of the istiods loses a cluster's endpoints when its remote secret changes. */
function losesEndpoints(
  controlPlanes: readonly ControlPlaneFacts[],
  metrics: readonly PodPart<IstiodMetrics>[],
): boolean {
  return controlPlanes
    .flatMap((one) => runningVersions(one, metrics))
    .some(({version}) => affects(remoteSecretDefects.endpoints, version));
}
