import {parseBool} from '../../istio/environment.js';
import {ambientNetworksVariable as variable, ambientVariable, features, hasFeature} from '../../istio/features.js';
import {ambientProfiles} from '../../install/declared-settings.js';
import {installedRevision} from '../../install/model.js';
import {defaultRevision} from '../../istio/names.js';
import {formatVersion} from '../../istio/version.js';
import {fixWith, sequence, words} from '../../suggest/suggestion.js';
import type {ControlPlaneFacts} from '../../facts/facts.js';
import {spansNetworks} from '../../facts/read/network-gateways.js';
import {type ClusterSubject, type Finding, apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import {editMeshYaml, reinstallFix, upgradeFix} from '../fixes.js';
import {sidecarNamespaces} from '../trust/injected-namespaces.js';

/** Ambient workloads can reach the other clusters. */
export const ambientNetworksCheck = apiServerCheck({
  id: 'MESH417',
  title: "Ambient workloads can reach the mesh's other clusters",
  requires: ['controlPlanes', 'ztunnelPods', 'namespaces'],
  optional: ['webhooks'],
  judge: ({controlPlanes, ztunnelPods, namespaces, webhooks}, subject) => {
    const {cluster, mesh} = subject;
    const ambient = ztunnelPods.length === 0 ? [] : controlPlanes.filter(isAmbient);
    if (ambient.length === 0) return ok('no ambient mode here');
    if (mesh.clusters.length < 2) return notApplicable('the mesh has one cluster');
    const findings = spansNetworks(mesh)
      ? ambient.map((one) => {
          const hasSidecars = sidecarNamespaces(namespaces, one, webhooks).length > 0;
          return networksFinding(one, hasSidecars, subject);
        })
      : [];
    const neighbors = mesh.clusters.filter((one) => one.name !== cluster.name && one.network === cluster.network);
    return findingsOr(
      [...findings, neighbors.length > 0 ? neighborsFinding(neighbors, subject) : undefined],
      ok(`${variable} is true`, `${variable}=true`),
    );
  },
  meaning: `Where ztunnel runs and the mesh has several networks, ${variable} is true in istiod's environment; its default is false. No other cluster is on the same network: Istio tests ambient mode with a separate network for each cluster only.`,
  breaks:
    'Without the variable, ambient workloads never reach other clusters, and no ambient east-west gateway is created: istiod does not know its class, istio-east-west. Sidecars are not affected, so a mesh that also has sidecars gets a warning.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get pod -l app=ztunnel\nkubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..env}"',
  fix: 'With the profile ambient, `kubectl mesh install render` sets the variable: render install.yaml again and apply it. Otherwise set it with the installer, or with the suggested command until the next installation.',
  source: `istio/istio#61066, istio/istio#61067; ${features.ambientNetworks.source}`,
});

/** istiod ignores the other variables of ambient mode without its main one, which did not exist in the first versions of ambient mode. */
function isAmbient({version, workload: {env}}: ControlPlaneFacts): boolean {
  return !hasFeature(version, 'ambientNetworks') || parseBool(env[ambientVariable], false);
}

function networksFinding(
  {version, revision, workload: {name, env}}: ControlPlaneFacts,
  hasSidecars: boolean,
  subject: ClusterSubject,
): Finding | undefined {
  const {cluster, mesh} = subject;
  const severity = hasSidecars ? 'warning' : 'error';
  if (!hasFeature(version, 'ambientNetworks')) {
    return {
      severity,
      observed: `${name} ${formatVersion(version)} does not support ambient mode on several networks`,
      expected: `Istio ${features.ambientNetworks.from} or later`,
      fix: sequence(editMeshYaml(), upgradeFix(subject, formatVersion(version))),
    };
  }
  const value = env[variable];
  if (parseBool(value, false)) return undefined;
  const expected = `${variable}=true`;
  // Rendering sets the variable, unless mesh.yaml or an overlay does; its value is then in the environment.
  const isRendered =
    ambientProfiles.includes(mesh.istio.profile) && revision === (installedRevision(mesh) ?? defaultRevision);
  const reinstall = reinstallFix(subject);
  if (value !== undefined && isRendered) {
    const note = `remove ${variable} from the values or overlays of mesh.yaml`;
    const fix = sequence(editMeshYaml(), reinstall);
    return {severity: 'warning', observed: `${variable} of ${name} is "${value}"`, expected, fix, note};
  }
  const set = fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} set env deployment/${name} ${variable}=true`);
  return {
    // A user may have turned it off because of its effect on sidecars.
    severity: value === undefined ? severity : 'warning',
    observed: value === undefined ? `${variable} of ${name} is not set` : `${variable} of ${name} is "${value}"`,
    expected,
    fix: isRendered ? reinstall : set,
    note: hasSidecars
      ? `first make the Services that sidecars of other clusters use global (label istio.io/global=true), because ${variable} applies to sidecars too (istio/istio#61713)`
      : undefined,
  };
}

function neighborsFinding(neighbors: readonly {readonly name: string}[], subject: ClusterSubject): Finding {
  const {cluster} = subject;
  return {
    severity: 'warning',
    observed: `${neighbors.map(({name}) => name).join(', ')}: also on ${cluster.network ?? 'the same network'}, which Istio does not test with ambient mode`,
    expected: 'a separate network for each cluster with ambient mode',
    fix: sequence(editMeshYaml(), reinstallFix(subject)),
    note: 'declare a network for each cluster, and create an east-west gateway in each; to accept this, use --skip MESH417',
  };
}
