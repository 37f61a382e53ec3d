import {clusterAnnotation, multiClusterLabel} from '../../discovery/names.js';
import type {ControlPlaneFacts, RemoteSecretFacts} from '../../facts/facts.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import {fixWith, kubectlMesh, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding, type PairSubject} from '../check.js';
import type {Remedy} from '../remedies.js';
import {credentialFor, noSecretsReason, secretPlace} from './credentials.js';
import {type LinkEvidence, linkRemedy, managedNote} from './link-fix.js';
import {entriesOfReader, otherEntriesFor} from './secret-entries.js';

/** The reader has a remote secret for the peer that its istiod can use. */
export const remoteSecretCheck = apiServerCheck({
  id: 'MESH501',
  title: 'A remote secret for the peer exists, and its name, label and data key are right',
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['remoteSecrets', 'controlPlanes'],
  optional: ['istiodClusters', 'istiodMetrics', 'remoteCredentials', 'apiServer', 'readerAccount'],
  sides: {
    remoteSecrets: 'self',
    controlPlanes: 'self',
    istiodClusters: 'self',
    istiodMetrics: 'self',
    remoteCredentials: 'self',
    apiServer: 'peer',
    readerAccount: 'peer',
  },
  implies: ['MESH503', 'MESH504', 'MESH505', 'MESH506', 'MESH507', 'MESH6'],
  judge: (facts, subject) => {
    const {remoteSecrets, controlPlanes} = facts;
    const {peer} = subject;
    const id = istioNameOf(peer);
    const reason = noSecretsReason(controlPlanes.self);
    if (reason !== undefined) return notApplicable(reason);
    const secret = remoteSecrets.self;
    const others = credentialFor(secret, peer) ? [] : othersFor(facts, subject);
    if (others.length > 0) return inOthers(others, facts, subject);
    if (secret === 'absent') {
      return subject.isPeerUnselected === true
        ? notApplicable(`there is no remote secret for ${peer.name}, which is not selected`)
        : absent(facts, subject);
    }
    const expected = `label ${multiClusterLabel.name}=${multiClusterLabel.value} and data key ${id}`;
    const findings = [...metadataFindings(secret, subject), ...contentFindings(secret, facts, subject)];
    return findingsOr(
      findings.map((finding) => ({expected, ...finding})),
      ok(`${secretPlace(subject)} for ${id}`, expected),
    );
  },
  meaning:
    "Istio's namespace of this cluster (the reader) contains Secret istio-remote-secret-NAME for the peer, with label istio/multiCluster=true, by which istiod finds it, and with a kubeconfig under the data key that is Istio's name of the peer. The kubeconfig contains an API server, a credential, and no field for which istiod rejects it. NAME is Istio's name of the peer, as istioctl writes it, or the name in mesh.yaml where Istio's cannot be part of a Secret's name. A remote has no istiod, and only its primary reads it.",
  breaks:
    'istiod does not read the peer: its services get no endpoints there, so requests never reach it, and istiod rejects proxies of a remote ("client claims to be in cluster …"). A Secret under another name works, and `link` renews its token, but `istioctl create-remote-secret` creates a second one, which istiod ignores.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secrets -l istio/multiCluster=true\nkubectl --context "$CTX" -n istio-system describe secret "istio-remote-secret-$PEER"   # names and sizes only',
  fix: 'Create or replace it with `kubectl mesh link READER`. The credential in a Secret with another name is removed first, because istiod ignores a second one for the same cluster; the services have no endpoints in the peer in between, for some seconds. If `link` would be refused, the suggested command first opens mesh.yaml, for an address that pods cannot use, restores the service account, or deletes a Secret that cannot be changed. A Secret that another tool manages (Argo CD, External Secrets) is only shown: change it there.',
  source:
    'istio/istio istioctl/pkg/multicluster/remote_secret.go, pkg/kube/multicluster/secretcontroller.go (NewController, addRemoteConfig), pkg/kube/util.go (sanitizeKubeConfig)',
});

/** The Secrets with other names from which the peer is read. */
function othersFor({istiodClusters, remoteCredentials}: LinkEvidence, {mesh, peer}: PairSubject): readonly string[] {
  const sources = {istiodClusters: istiodClusters?.self, remoteCredentials: remoteCredentials?.self};
  return otherEntriesFor(peer, entriesOfReader(sources, {mesh})).map(({secret}) => secret);
}

function absent(evidence: LinkEvidence, subject: PairSubject): Finding {
  const expected = secretPlace(subject);
  const missing = `${expected} does not exist`;
  const remedy = linkRemedy(subject, evidence);
  const isReported = evidence.istiodClusters?.self.some(({value}) => value.known !== undefined) === true;
  const isComplete = isReported || evidence.remoteCredentials !== undefined;
  if (isComplete) return {kind: 'absent', observed: missing, expected, ...remedy};
  const observed = `${missing}; another Secret may contain the credential for ${subject.peer.name}`;
  return {kind: 'absent', observed, expected, isUnproven: true, ...remedy};
}

/** The credential is in Secrets with other names, and not in the usual one. */
function inOthers(others: readonly string[], evidence: LinkEvidence, subject: PairSubject): Finding {
  const {peer, mesh} = subject;
  const places = others.map((secret) => secretPlace({mesh, peer, secret}));
  return {
    kind: 'other name',
    severity: 'warning',
    observed: `the credential for ${peer.name} is in ${places.join(', ')}`,
    expected: secretPlace(subject),
    // Its token, address and state are those of that Secret.
    implies: [],
    // Without a context, link cannot replace what was removed.
    ...(peer.context === undefined
      ? {fix: kubectlMesh('init', words`${peer.name}=CONTEXT`)}
      : linkRemedy(subject, evidence)),
  };
}

function metadataFindings(
  {name, labeled, annotation, managedBy}: RemoteSecretFacts,
  subject: PairSubject,
): readonly Finding[] {
  const {cluster, peer, mesh} = subject;
  const id = istioNameOf(peer);
  const place = secretPlace(subject);
  const change = (verb: string, field: string): Remedy => ({
    fix: fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} ${verb} --overwrite secret ${name} ${field}`),
    ...(managedBy !== undefined && {note: managedNote(managedBy, place)}),
  });
  const label = `${multiClusterLabel.name}=${multiClusterLabel.value}`;
  return [
    ...(labeled ? [] : [{kind: 'no label', observed: `${place} lacks label ${label}`, ...change('label', label)}]),
    // istioctl writes what its --name is, which cannot be every name of Istio's (MESH118).
    ...(annotation === undefined || [id, peer.name].includes(annotation)
      ? []
      : [
          {
            severity: 'warning' as const,
            kind: 'annotation',
            observed: `${place} has annotation ${clusterAnnotation}=${annotation}`,
            expected: `annotation ${clusterAnnotation}=${id}`,
            implies: [],
            ...change('annotate', `${clusterAnnotation}=${id}`),
          },
        ]),
  ];
}

function contentFindings(
  {credentials}: RemoteSecretFacts,
  evidence: LinkEvidence,
  subject: PairSubject,
): readonly Finding[] {
  const credential = credentials.find((one) => one.cluster === istioNameOf(subject.peer));
  // Most pairs have no finding.
  const remedy = (): Remedy => linkRemedy(subject, evidence);
  const place = secretPlace(subject);
  if (!credential) {
    const keys = credentials.map(({cluster}) => cluster);
    const has = keys.length === 0 ? 'no data key' : `data key ${keys.join(', ')}`;
    return [{kind: 'no data key', observed: `${place} has ${has}`, ...remedy()}];
  }
  const {kubeconfig} = credential;
  if (!kubeconfig) {
    return [
      {kind: 'no kubeconfig', observed: `${place} contains no kubeconfig`, expected: 'a kubeconfig', ...remedy()},
    ];
  }
  const {address, token, otherCredential, rejected} = kubeconfig;
  const refused = rejected.filter((field) => evidence.controlPlanes.self.some((one) => !permits(one, field)));
  return [
    ...(refused.length === 0
      ? []
      : [
          {
            kind: `rejected ${refused.join(' ')}`,
            observed: `istiod rejects the kubeconfig in ${place}, which uses ${refused.join(', ')}`,
            expected: 'a kubeconfig with a token',
            ...remedy(),
          },
        ]),
    ...(address
      ? []
      : [
          {
            kind: 'no server',
            observed: `the kubeconfig in ${place} names no server`,
            expected: 'a server',
            ...remedy(),
          },
        ]),
    ...(token || otherCredential !== undefined || rejected.length > 0
      ? []
      : [
          {
            kind: 'no credential',
            observed: `the kubeconfig in ${place} has no credential`,
            expected: 'a token',
            ...remedy(),
          },
        ]),
  ];
}

/** The names that istiod's variable has for the fields that it rejects (istio/istio pkg/kube/util.go, sanitizeKubeConfig). */
const optionNames: Readonly<Record<string, string>> = {
  'client-key': 'clientKey',
  'client-certificate': 'clientCertificate',
};

const insecureOptions = 'PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS';

/** Whether an istiod accepts a field nevertheless. */
function permits({workload}: ControlPlaneFacts, field: string): boolean {
  const options = (workload.env[insecureOptions] ?? '').split(',');
  return options.includes(optionNames[field] ?? field.replace(/^auth-provider /, ''));
}
