import {hazards, hazardsOf, type Hazard, type HazardFix} from './known-hazards.js';
import {formatMinor} from '../../istio/version.js';
import {isUnknownVersion, newestKnown} from '../../istio/versions.js';
import {fixWith, inspectWith, sequence, words} from '../../suggest/suggestion.js';
import {type ClusterSubject, type Finding, apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {ClusterFactValues, ControlPlaneFacts} from '../../facts/facts.js';
import {editMeshYaml, removeCrlFix, pushFix, reinstallFix, upgradeFix} from '../fixes.js';
import {type RunningVersion, runningVersions} from './running-versions.js';
import {spansNetworks} from '../../facts/read/network-gateways.js';
import {sidecarNamespaces} from '../trust/injected-namespaces.js';
import {type Remedy, replaceCa, showSource} from '../remedies.js';

/** No running istiod has a known issue of its version. */
export const hazardsCheck = apiServerCheck({
  id: 'MESH410',
  title: 'No known issue of the running version applies',
  severity: 'warning',
  requires: ['controlPlanes', 'cacerts', 'selfSignedRoot', 'ztunnelPods', 'namespaces'],
  // istiodMetrics: the version that the process reports, used where neither the tag nor a label names a release.
  optional: ['caOrigin', 'webhooks', 'istiodMetrics'],
  expected: 'no known issue',
  judge: (facts, subject) => {
    const {controlPlanes, cacerts, selfSignedRoot, ztunnelPods, namespaces, webhooks, istiodMetrics = []} = facts;
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    const {cluster, mesh, now} = subject;
    const remotes = mesh.clusters.filter(({role, primary}) => role === 'remote' && primary === cluster.name);
    const running = controlPlanes.flatMap((controlPlane) =>
      runningVersions(controlPlane, istiodMetrics).map((known) => ({controlPlane, known})),
    );
    const applying = running.flatMap(({controlPlane, known}) =>
      hazardsOf(known.version, {
        now,
        env: controlPlane.workload.env,
        cacerts: cacerts === 'absent' ? undefined : cacerts,
        hasOwnRoot: selfSignedRoot !== 'absent',
        hasZtunnel: ztunnelPods.length > 0,
        remotes: remotes.map(({name}) => name),
        rotationDeclared: mesh.trust.rotationDeclared === true,
        spansNetworks: spansNetworks(mesh),
        sidecarNamespaces: sidecarNamespaces(namespaces, controlPlane, webhooks),
        allServicesGlobal: controlPlane.allServicesGlobal === true,
      }).map(({hazard, condition, isUnproven}): Finding => ({
        isUnproven,
        severity: hazard.severity ?? 'error',
        observed: `${controlPlane.workload.name} ${known.text}: ${condition}: ${hazard.consequence}`,
        expected: hazard.expected,
        ...suggest(hazard.fix, controlPlane, known.text, facts, subject),
      })),
    );
    const unknown = running.filter(({known}) => isUnknownVersion(known)).map((one) => unknownIssues(one, subject));
    const names = running.map(({controlPlane, known}) => `${controlPlane.workload.name} ${known.text}`);
    return findingsOr([...applying, ...unknown], ok(names.join(', ')));
  },
  meaning: `A known issue is reported only if an affected version runs and the condition of the issue is met. For a version newer than the newest known one, and for an istiod that names no release, a warning reports that known issues are unknown:\n\n${hazards.map((one) => `- ${one.id} (${versions(one)}): ${one.title}`).join('\n')}`,
  breaks:
    'The finding names the consequence: a self-signed istiod, a revocation without effect, certificates that are not accepted, a change that has no effect until istiod restarts, or unmanaged remote clusters.',
  byHand: [
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..image}"',
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..env}"',
    'kubectl --context "$CTX" -n istio-system describe secret cacerts   # names and sizes only',
  ].join('\n'),
  fix: 'The suggested command removes the condition. If a later version fixes the issue (see the list above), an upgrade removes the issue itself.',
  source: hazards.map(({id, source}) => `${id}: ${withRepository(source)}`).join('; '),
});

/** The issues of a version without facts are unknown. That alone is a warning: nothing shows that one applies. */
function unknownIssues(
  {controlPlane: {workload}, known: {text, status}}: {controlPlane: ControlPlaneFacts; known: RunningVersion},
  {cluster, mesh}: ClusterSubject,
): Finding {
  const newest = formatMinor(newestKnown);
  const image = text === '' ? 'its image has no tag' : `its image has the tag ${text}, which names no release`;
  const why = status === 'newer' ? `Istio ${text} is newer than ${newest}, the newest known version` : image;
  return {
    severity: 'warning',
    observed: `whether a known issue applies to ${workload.name} is unknown: ${why}`,
    expected: `an Istio release up to ${newest}`,
    fix: inspectWith.kubectl(
      cluster,
      words`-n ${mesh.istio.namespace} exec deployment/${workload.name} -- pilot-discovery version`,
    ),
    note: status === 'newer' ? `use a version of kubectl mesh that supports Istio ${text}` : undefined,
  };
}

/** A source that starts with an issue (`istio/ztunnel#1061`) names its repository; the others are files of istio/istio. */
function withRepository(source: string): string {
  return /^istio\/\S+#/.test(source) ? source : `istio/istio ${source}`;
}

function versions({from, fixedIn}: Hazard): string {
  const list = (releases: NonNullable<Hazard['from']>): string =>
    typeof releases === 'string' ? releases : releases.join(', ');
  const parts = [
    ...(from === undefined ? [] : [`since ${list(from)}`]),
    ...(fixedIn === undefined ? [] : [`fixed in ${list(fixedIn)}`]),
  ];
  return parts.join(', ');
}

function suggest(
  remedy: HazardFix,
  {workload}: ControlPlaneFacts,
  tag: string,
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
    case 'declare':
      return {fix: sequence(editMeshYaml(), reinstallFix(subject)), note: remedy.note};
    case 'upgrade':
      return upgrade;
    case 'no lists':
      return {fix: removeCrlFix(caOrigin, subject, cacerts !== 'absent' && cacerts.crl?.isPushed === true)};
    case 'environment': {
      const change = remedy.value === undefined ? `${remedy.name}-` : `${remedy.name}=${remedy.value}`;
      return {
        fix: fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} set env deployment/${workload.name} ${change}`),
      };
    }
  }
}
