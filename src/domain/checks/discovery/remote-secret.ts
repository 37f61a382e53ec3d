import {clusterAnnotation, multiClusterLabel, remoteSecretName} from '../../discovery/names.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import type {ControlPlaneFacts, IstiodMetrics, PodPart, RemoteSecretFacts} from '../../facts/facts.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import {fixWith, kubectlMesh, sequence, type Word, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding, type PairSubject} from '../check.js';
import {linkFix, noSecretsReason, secretPlace, secretsInUse} from './credentials.js';

/** The reader has a remote secret for the peer that its istiod can use. */
export const remoteSecretCheck = apiServerCheck({
  id: 'MESH501',
  title: 'A remote secret for the peer exists, and its name, label and data key are right',
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['remoteSecrets', 'controlPlanes'],
  optional: ['istiodClusters', 'istiodMetrics', 'remoteCredentials'],
  sides: {
    remoteSecrets: 'self',
    controlPlanes: 'self',
    istiodClusters: 'self',
    istiodMetrics: 'self',
    remoteCredentials: 'self',
  },
  implies: ['MESH503', 'MESH504', 'MESH505', 'MESH506', 'MESH507'],
  judge: ({remoteSecrets, controlPlanes: {self: istiods}, ...seen}, subject) => {
    const {peer} = subject;
    const id = istioNameOf(peer);
    const reason = noSecretsReason(istiods);
    if (reason !== undefined) return notApplicable(reason);
    const secret = remoteSecrets.self;
    const circumstances = {istiods, metrics: seen.istiodMetrics?.self ?? [], subject};
    const others = inUse(seen, subject);
    if (secret === 'absent' && others.others.length === 0 && subject.isPeerUnselected === true)
      return notApplicable(`there is no remote secret for ${peer.name}, which is not selected`);
    if (secret === 'absent') return absent({...circumstances, ...others});
    const expected = `label ${multiClusterLabel.name}=${multiClusterLabel.value} and data key ${id}`;
    const findings = [...metadataFindings(secret, subject), ...contentFindings(secret, circumstances)];
    return findingsOr(
      findings.map((finding) => ({expected, ...finding})),
      ok(`${secretPlace(subject)} for ${id}`, expected),
    );
  },
  meaning:
    "Istio's namespace of this cluster (the reader) contains Secret istio-remote-secret-NAME for the peer, with label istio/multiCluster=true, by which istiod finds it, and with a kubeconfig under the data key that is Istio's name of the peer. The kubeconfig contains an API server, a credential, and nothing for which istiod rejects it. NAME is Istio's name of the peer, as istioctl writes it, or the name in mesh.yaml where Istio's cannot be part of a Secret's name. A remote has no istiod, and only its primary reads it.",
  breaks:
    'istiod does not read the peer: its services get no endpoints there, so requests never reach it, and istiod rejects proxies of a remote ("client claims to be in cluster …"). A Secret under another name works, and `link` renews its token, but no check reads it, and `istioctl create-remote-secret` creates a second one, which istiod ignores.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secrets -l istio/multiCluster=true\nkubectl --context "$CTX" -n istio-system describe secret "istio-remote-secret-$PEER"   # names and sizes only',
  fix: 'Create or replace it with `kubectl mesh link READER`. A Secret with another name is deleted first, or only its data key for the peer if istiod reads other clusters through it as well, because istiod ignores a second one for the same cluster; the services have no endpoints in the peer in between, for some seconds.',
  source:
    'istio/istio istioctl/pkg/multicluster/remote_secret.go, pkg/kube/multicluster/secretcontroller.go (NewController, addRemoteConfig), pkg/kube/util.go (sanitizeKubeConfig)',
});

interface Circumstances {
  readonly istiods: readonly ControlPlaneFacts[];
  readonly metrics: readonly PodPart<IstiodMetrics>[];
  readonly subject: PairSubject;
}

type Seen = Partial<{
  readonly istiodClusters: {readonly self: Parameters<typeof secretsInUse>[0]};
  readonly remoteCredentials: {readonly self: readonly RemoteCredential[]};
}>;

/** The Secrets from which the peer is read, and whether these are all. */
interface InUse {
  readonly others: readonly OtherSecret[];
  readonly isComplete: boolean;
}

/** A Secret of another name. */
interface OtherSecret {
  /** NAMESPACE/NAME. */
  readonly name: string;
  /** Whether other clusters are read through it. */
  readonly isShared: boolean;
}

function inUse({istiodClusters, remoteCredentials}: Seen, {mesh, peer}: PairSubject): InUse {
  const {namespace} = mesh.istio;
  const id = istioNameOf(peer);
  const listed = (remoteCredentials?.self ?? []).map((one) => ({...one, secretName: `${namespace}/${one.secret}`}));
  const reported = (istiodClusters?.self ?? []).flatMap(({value}) => value.known ?? []);
  const ofPeer = listed.filter(({cluster}) => cluster === id).map(({secretName}) => secretName);
  const names = [...secretsInUse(istiodClusters?.self, id), ...ofPeer];
  const isShared = (name: string): boolean =>
    reported.some((one) => one.secretName === name && one.id !== id) ||
    listed.some((one) => one.secretName === name && one.cluster !== id);
  const isReported = (istiodClusters?.self ?? []).some(({value}) => value.known !== undefined);
  return {
    others: [...new Set(names)]
      .filter((name) => name !== `${namespace}/${remoteSecretName(peer)}`)
      .map((name) => ({name, isShared: isShared(name)})),
    isComplete: isReported || remoteCredentials !== undefined,
  };
}

function absent({istiods, metrics, subject, others, isComplete}: Circumstances & InUse): Finding {
  const {cluster, peer, mesh} = subject;
  const fix = linkFix(subject, istiods, metrics);
  const expected = secretPlace(subject);
  if (others.length === 0) {
    const missing = `${secretPlace(subject)} does not exist`;
    if (isComplete) return {observed: missing, expected, fix};
    const observed = `${missing}; whether another Secret has the credential for ${peer.name} is unknown`;
    return {observed, expected, isUnproven: true, fix};
  }
  const inNamespace = (...words: readonly Word[]) => fixWith.kubectl(cluster, ['-n', mesh.istio.namespace, ...words]);
  const removals = others.map(({name, isShared}) => {
    const secret = name.slice(name.indexOf('/') + 1);
    const patch = `[{"op":"remove","path":"/data/${istioNameOf(peer)}"}]`;
    return isShared
      ? inNamespace('patch', 'secret', secret, '--type=json', `--patch=${patch}`)
      : inNamespace('delete', 'secret', secret);
  });
  // Without a context, link cannot replace what was deleted.
  const isLinkable = peer.context !== undefined;
  return {
    severity: 'warning',
    observed: `the credential for ${peer.name} is in Secret ${others.map(({name}) => name).join(', ')}`,
    expected,
    // Its token, address and state are those of another Secret, which no check reads.
    implies: [],
    fix: isLinkable ? sequence(...removals, fix) : kubectlMesh('init', words`${peer.name}=CONTEXT`),
  };
}

function metadataFindings({name, labeled, annotation}: RemoteSecretFacts, subject: PairSubject): readonly Finding[] {
  const {cluster, peer, mesh} = subject;
  const id = istioNameOf(peer);
  const place = secretPlace(subject);
  const change = (verb: string, field: string) =>
    fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} ${verb} --overwrite secret ${name} ${field}`);
  const label = `${multiClusterLabel.name}=${multiClusterLabel.value}`;
  return [
    ...(labeled ? [] : [{observed: `${place} lacks label ${label}`, fix: change('label', label)}]),
    // istioctl writes what its --name is, which cannot be every name of Istio's (MESH118).
    ...(annotation === undefined || [id, peer.name].includes(annotation)
      ? []
      : [
          {
            severity: 'warning' as const,
            observed: `${place} has annotation ${clusterAnnotation}=${annotation}`,
            expected: `annotation ${clusterAnnotation}=${id}`,
            implies: [],
            fix: change('annotate', `${clusterAnnotation}=${id}`),
          },
        ]),
  ];
}

function contentFindings(
  {credentials}: RemoteSecretFacts,
  {istiods, metrics, subject}: Circumstances,
): readonly Finding[] {
  const credential = credentials.find((one) => one.cluster === istioNameOf(subject.peer));
  const fix = linkFix(subject, istiods, metrics);
  const place = secretPlace(subject);
  if (!credential) {
    const keys = credentials.map(({cluster}) => cluster);
    const has = keys.length === 0 ? 'no data key' : `data key ${keys.join(', ')}`;
    return [{observed: `${place} has ${has}`, fix}];
  }
  const {kubeconfig} = credential;
  if (!kubeconfig) return [{observed: `${place} contains no kubeconfig`, expected: 'a kubeconfig', fix}];
  const {address, token, clientCertificate, rejected} = kubeconfig;
  const refused = rejected.filter((field) => istiods.some((one) => !permits(one, field)));
  return [
    ...(refused.length === 0
      ? []
      : [
          {
            observed: `istiod rejects the kubeconfig in ${place}, which uses ${refused.join(', ')}`,
            expected: 'a kubeconfig with a token',
            fix,
          },
        ]),
    ...(address ? [] : [{observed: `the kubeconfig in ${place} names no server`, expected: 'a server', fix}]),
    ...(token || clientCertificate !== undefined || rejected.length > 0
      ? []
      : [{observed: `the kubeconfig in ${place} has no credential`, expected: 'a token', fix}]),
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
