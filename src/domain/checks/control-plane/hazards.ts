import type {Hazard} from './hazard.js';
import {hazards, hazardsOf} from './known-hazards.js';
import {missingFact, readClustersOf} from './read-clusters.js';
import {remoteHazards} from './remote-hazards.js';
import {fixWith, sequence, words} from '../../suggest/suggestion.js';
import {
  type ClusterSubject,
  type Finding,
  apiServerCheck,
  findingsOr,
  notApplicable,
  ok,
  undecidedWithout,
} from '../check.js';
import type {ClusterFactValues, ControlPlaneFacts} from '../../facts/facts.js';
import {keepsRemovedLists} from '../../trust/istiod.js';
import {editMeshYaml, removeCrlFix, pushFix, reinstallFix, upgradeFix} from '../fixes.js';
import {affects, type FirstReleases} from '../../istio/since.js';
import {type Remedy, replaceCa, restart, showSource} from '../remedies.js';

/** No running istiod has a known issue of its version. */
export const hazardsCheck = apiServerCheck({
  id: 'MESH410',
  title: 'No known issue of the running version applies',
  severity: 'warning',
  requires: ['controlPlanes', 'cacerts', 'selfSignedRoot', 'ztunnelPods'],
  optional: ['caOrigin', 'istiodClusters', 'istiodDiscovery', 'remoteCredentials'],
  expected: 'no known issue',
  judge: (facts, subject) => {
    const {controlPlanes, cacerts, selfSignedRoot, ztunnelPods} = facts;
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    const {cluster, mesh, now} = subject;
    const remotes = mesh.clusters.filter(({role, primary}) => role === 'remote' && primary === cluster.name);
    const findings = controlPlanes.flatMap((controlPlane) =>
      hazardsOf(controlPlane.version, {
        now,
        env: controlPlane.workload.env,
        cacerts: cacerts === 'absent' ? undefined : cacerts,
        hasOwnRoot: selfSignedRoot !== 'absent',
        hasZtunnel: ztunnelPods.length > 0,
        remotes: remotes.map(({name}) => name),
        rotationDeclared: mesh.trust.rotationDeclared === true,
        publishesLists: controlPlane.publishesLists === true,
        readClusters: readClustersOf(controlPlane, facts, subject),
      }).map(({hazard, condition: {text, severity = hazard.severity ?? 'error', isUnproven = false}}): Finding => ({
        isUnproven,
        severity,
        observed: `${controlPlane.workload.name} ${controlPlane.tag}: ${text}: ${hazard.consequence}`,
        expected: hazard.expected,
        ...suggest(hazard, controlPlane, facts, subject),
      })),
    );
    const missing = controlPlanes
      .filter(({version}) => remoteHazards.some((hazard) => affects(hazard, version)))
      .map((controlPlane) => missingFact(controlPlane, facts, subject))
      .find((fact) => fact !== undefined);
    const running = ok(controlPlanes.map(({workload, tag}) => `${workload.name} ${tag}`).join(', '));
    return findingsOr(findings, missing === undefined ? running : undecidedWithout(missing));
  },
  meaning: `A known issue is reported only if an affected version runs and the condition of the issue is met:\n\n${hazards.map((one) => `- ${one.id} (${versions(one)}): ${one.title}`).join('\n')}`,
  breaks:
    'The finding names the consequence: a self-signed istiod, a revocation without effect, certificates that are not accepted, a change that has no effect until istiod restarts, unmanaged remote clusters, or services of other clusters that cannot be reached.',
  byHand: [
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..image}"',
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..env}"',
    'kubectl --context "$CTX" -n istio-system describe secret cacerts   # names and sizes only',
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &',
    'curl -s localhost:15014/debug/endpointShardz   # Kubernetes/CLUSTER for each synced cluster',
    'curl -s localhost:15014/debug/networkz',
  ].join('\n'),
  fix: 'The suggested command removes the condition. If a later version fixes the issue (see the list above), an upgrade removes the issue itself.',
  source: hazards.map(({id, source}) => `${id}: ${withRepository(source)}`).join('; '),
});

/** A source that starts with an issue (`istio/ztunnel#1061`) names its repository; the others are files of istio/istio. */
function withRepository(source: string): string {
  return /^istio\/\S+#/.test(source) ? source : `istio/istio ${source}`;
}

function versions({from, fixedIn}: Hazard): string {
  const parts = [
    ...(from === undefined ? [] : [`since ${listed(from)}`]),
    ...(fixedIn === undefined ? [] : [`fixed in ${listed(fixedIn)}`]),
  ];
  return parts.join(', ');
}

function listed(releases: FirstReleases): string {
  return typeof releases === 'string' ? releases : releases.join(', ');
}

function suggest(
  {fix: remedy, fixedIn}: Hazard,
  {workload, tag, version, publishesLists}: ControlPlaneFacts,
  {cacerts, caOrigin}: Pick<ClusterFactValues, 'cacerts'> & Partial<Pick<ClusterFactValues, 'caOrigin'>>,
  subject: ClusterSubject,
): Remedy {
  const {cluster, mesh} = subject;
  const upgrade = {fix: sequence(editMeshYaml(), upgradeFix(subject, tag))};
  switch (remedy.by) {
    case 'push':
      if (caOrigin?.from === 'mounted') return showSource(caOrigin.source, subject);
      if (caOrigin?.from !== 'external') return {fix: pushFix(subject)};
      // The tool that manages the Secret writes these names again: only an istiod that reads them helps.
      return cacerts !== 'absent' && cacerts.layout === 'tls' ? upgrade : replaceCa(caOrigin, subject);
    case 'renew':
      return replaceCa(caOrigin, subject);
    case 'reinstall':
      return {fix: reinstallFix(subject)};
    case 'upgrade':
      return upgrade;
    case 'no lists': {
      const isPushed = cacerts !== 'absent' && cacerts.crl?.isPushed === true;
      const keepsLists = publishesLists === true && keepsRemovedLists({version, env: workload.env});
      const running = {name: workload.name, keepsLists};
      return {fix: removeCrlFix(caOrigin, subject, isPushed, running)};
    }
    case 'restart':
      return {
        ...restart(caOrigin, subject, workload.name),
        note: fixedIn && `fixed in Istio ${listed(fixedIn)}: an upgrade prevents it`,
      };
    case 'environment': {
      const change = remedy.value === undefined ? `${remedy.name}-` : `${remedy.name}=${remedy.value}`;
      return {
        fix: fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} set env deployment/${workload.name} ${change}`),
      };
    }
  }
}
