import {ambientHazards} from './ambient-hazards.js';
import type {Hazard} from './hazard.js';
import {hazards, hazardsOf} from './known-hazards.js';
import {missingFact, readClustersOf} from './read-clusters.js';
import {remoteHazards} from './remote-hazards.js';
import {parseVersion, satisfies} from '../../istio/version.js';
import {isUnknownVersion} from '../../istio/versions.js';
import {fixWith, inspectWith, sequence, type Suggestion, words} from '../../suggest/suggestion.js';
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
import {newerThanKnown, type RunningVersion, runningVersions} from './running-versions.js';
import {spansNetworks} from '../../facts/read/network-gateways.js';
import {sidecarNamespaces} from '../trust/injected-namespaces.js';
import {type Remedy, replaceCa, restart, showSource} from '../remedies.js';

/** No running istiod has a known issue of its version. */
export const hazardsCheck = apiServerCheck({
  id: 'MESH410',
  title: 'No known issue of the running version applies',
  severity: 'warning',
  requires: ['controlPlanes', 'cacerts', 'selfSignedRoot', 'ztunnelPods'],
  // istiodMetrics: the version that the process reports, used where neither the tag nor a label names a release.
  optional: [
    'caOrigin',
    'istiodMetrics',
    'istiodClusters',
    'istiodDiscovery',
    'remoteCredentials',
    'namespaces',
    'webhooks',
  ],
  // A finding implies only those that its issue does.
  implies: ['MESH506', 'MESH507'],
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
        publishesLists: controlPlane.publishesLists === true,
        readClusters: readClustersOf(controlPlane, facts, subject),
        spansNetworks: spansNetworks(mesh),
        sidecarNamespaces: sidecarNamespaces(namespaces ?? [], controlPlane, webhooks),
        allServicesGlobal: controlPlane.allServicesGlobal === true,
      }).map(({hazard, condition: {text, severity = hazard.severity ?? 'error', isUnproven = false}}): Finding => ({
        isUnproven,
        severity,
        observed: `${controlPlane.workload.name} ${known.text}: ${text}: ${hazard.consequence}`,
        expected: hazard.expected,
        implies: hazard.implies ?? [],
        ...suggest(hazard, {controlPlane, known}, facts, subject),
      })),
    );
    const unknown = running.filter(({known}) => isUnknownVersion(known)).map((one) => unknownIssues(one, subject));
    const missing = running.map((one) => missingFor(one, facts, subject)).find((fact) => fact !== undefined);
    const names = running.map(({controlPlane, known}) => `${controlPlane.workload.name} ${known.text}`);
    const decided = missing === undefined ? ok(names.join(', ')) : undecidedWithout(missing);
    return findingsOr([...applying, ...unknown], decided);
  },
  meaning: `A known issue is reported only if an affected version runs and the condition of the issue is met. For a version newer than the newest known one, and for an istiod that names no release, a warning reports that known issues are unknown:\n\n${hazards.map((one) => `- ${one.id} (${versions(one)}): ${one.title}`).join('\n')}`,
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

/** One version of an istiod Deployment that runs. */
interface RunningIstiod {
  readonly controlPlane: ControlPlaneFacts;
  readonly known: RunningVersion;
}

/** The optional fact without which hazards of this version can be neither shown nor excluded. */
function missingFor(
  {controlPlane, known: {version}}: RunningIstiod,
  facts: Parameters<typeof missingFact>[1] &
    Pick<ClusterFactValues, 'ztunnelPods'> &
    Partial<Pick<ClusterFactValues, 'namespaces'>>,
  subject: ClusterSubject,
) {
  const isAffectedBy = (some: readonly Hazard[]): boolean => some.some((hazard) => affects(hazard, version));
  const isAmbient = facts.ztunnelPods.length > 0 && spansNetworks(subject.mesh) && isAffectedBy(ambientHazards);
  if (isAmbient && facts.namespaces === undefined) return 'namespaces';
  return isAffectedBy(remoteHazards) ? missingFact(controlPlane, facts, subject) : undefined;
}

/** The issues of a version without facts are unknown. That alone is a warning: nothing shows that one applies. */
function unknownIssues(
  {controlPlane: {workload}, known: {text, status}}: RunningIstiod,
  {cluster, mesh}: ClusterSubject,
): Finding {
  const {why, expected, note} = newerThanKnown(text);
  const image = text === '' ? 'its image has no tag' : `its image has the tag ${text}, which names no release`;
  return {
    severity: 'warning',
    implies: [],
    observed: `whether a known issue applies to ${workload.name} is unknown: ${status === 'newer' ? why : image}`,
    expected,
    fix: inspectWith.kubectl(
      cluster,
      words`-n ${mesh.istio.namespace} exec deployment/${workload.name} -- pilot-discovery version`,
    ),
    note: status === 'newer' ? note : undefined,
  };
}

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

/** Installs a version without the defect: the declared one, if it is another than the running one and has it fixed. */
function laterVersion(hazard: Hazard, {text, version}: RunningVersion, subject: ClusterSubject): Suggestion {
  const {version: declared = ''} = subject.mesh.istio;
  const wanted = parseVersion(declared);
  const isDeclared = wanted !== undefined && !satisfies(version, wanted) && !affects(hazard, wanted);
  return isDeclared ? upgradeFix(subject, text, declared) : sequence(editMeshYaml(), upgradeFix(subject, text));
}

function suggest(
  hazard: Hazard,
  {controlPlane: {workload, publishesLists}, known}: RunningIstiod,
  {cacerts, caOrigin}: Pick<ClusterFactValues, 'cacerts'> & Partial<Pick<ClusterFactValues, 'caOrigin'>>,
  subject: ClusterSubject,
): Remedy {
  const {cluster, mesh} = subject;
  const {fix: remedy, fixedIn} = hazard;
  const upgrade = {fix: laterVersion(hazard, known, subject)};
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
    case 'no lists': {
      const isPushed = cacerts !== 'absent' && cacerts.crl?.isPushed === true;
      const keepsLists = publishesLists === true && keepsRemovedLists({version: known.version, env: workload.env});
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
