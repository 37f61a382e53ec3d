import {isRetired, lastingHub, retirement} from '../../istio/hubs.js';
import {groupBy} from '../../group-by.js';
import {some} from '../../format.js';
import {fixWith, inspectWith, sequence, words} from '../../suggest/suggestion.js';
import type {UsedHub} from '../../facts/facts.js';
import {type ClusterSubject, type Finding, apiServerCheck, findingsOr, ok} from '../check.js';
import {editMeshYaml, reinstallFix} from '../fixes.js';

/** Images come from a hub that is not shut down. */
export const imageHubsCheck = apiServerCheck({
  id: 'MESH419',
  title: `Images come from a hub that is not shut down in ${retirement.when}`,
  severity: 'warning',
  requires: ['hubs'],
  expected: `hub ${lastingHub}, or a mirror of it`,
  judge: ({hubs}, subject) => {
    const {hub} = subject.mesh.istio;
    const retired = hubs.filter((one) => isRetired(one.hub));
    const byHub = groupBy(retired, (one) => one.hub);
    const findings = [...byHub].map(([name, uses]) => finding(name, uses, subject));
    const isDeclaredOnly = hub !== undefined && isRetired(hub) && !byHub.has(hub);
    return findingsOr(
      [...findings, isDeclaredOnly ? declaredFinding(hub, subject) : undefined],
      ok(hubs.length === 0 ? 'no image of Istio is used here' : some([...new Set(hubs.map((one) => one.hub))])),
    );
  },
  meaning: `No Deployment and no pod in Istio's namespace, and no sidecar injector, uses images of registry.istio.io or gcr.io/istio-release, and istio.hub in mesh.yaml is neither. Istio shuts both down in ${retirement.when}, after a test outage from 8 to 9 December, and publishes no images of ${retirement.withoutImagesOf} or later there. registry.istio.io is the default of istioctl 1.30.`,
  breaks:
    'Nodes that have not cached the images cannot pull them any more: control planes, gateways and pods with sidecars do not start there.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get pod -o jsonpath="{..image}"\nkubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep \'"hub"\'',
  fix: `Set \`istio.hub: ${lastingHub}\` (or a mirror of it) in mesh.yaml, render install.yaml again and apply it. Then restart gateways and workloads that were injected earlier.`,
  source: retirement.source,
});

function finding(hub: string, uses: readonly UsedHub[], subject: ClusterSubject): Finding {
  const {cluster, mesh} = subject;
  const {namespace} = mesh.istio;
  const observed = `${some(uses.map(({usedBy}) => usedBy))}: ${hub}`;
  const injected = uses.flatMap(({injectedInto}) => injectedInto ?? []);
  // Pods that the injector changed keep their image until they are replaced.
  const restart =
    injected.length === 0
      ? []
      : [
          fixWith.kubectl(
            cluster,
            words`-n ${namespace} rollout restart ${injected.map((name) => `deployment/${name}`)}`,
          ),
        ];
  if (uses.length === injected.length) return {observed, fix: sequence(...restart)};
  if (cluster.role === 'remote') {
    // Only primaries are rendered.
    const fix = inspectWith.kubectl(cluster, words`-n ${namespace} get pod -o jsonpath={..image}`);
    return {observed, fix, note: declare};
  }
  return {observed, fix: sequence(editMeshYaml(), reinstallFix(subject), ...restart), note: declare};
}

const declare = `declare istio.hub: ${lastingHub}, or a mirror of it, and restart workloads that were injected earlier`;

function declaredFinding(hub: string, subject: ClusterSubject): Finding {
  const fix = sequence(editMeshYaml(), ...(subject.cluster.role === 'remote' ? [] : [reinstallFix(subject)]));
  return {observed: `mesh.yaml istio.hub: ${hub}`, fix, note: declare};
}
