import {addressDifferences, addressProblem, localPart, resolveApiServer} from '../../discovery/api-server.js';
import type {ApiServerAddress} from '../../discovery/remote-kubeconfig.js';
import {printableUrl} from '../../printable-url.js';
import {apiServerCheck, findingsOr, notApplicable, ok, undecidedWithout, type Finding} from '../check.js';
import {caFinding, type Compared, hasPublicRoots, unlessSynced} from './address-ca.js';
import {credentialUsed, missingReason, noSecretsReason, secretPlace} from './credentials.js';
import {linkRemedy} from './link-fix.js';
import {settlingPods, syncStateOf} from './sync-state.js';

/** Address and CA in the reader's remote secret are those of the peer's API server. */
export const addressCheck = apiServerCheck({
  id: 'MESH505',
  title: "Address and CA in the remote secret are those of the peer's API server",
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['remoteSecrets', 'apiServer', 'controlPlanes'],
  optional: ['istiodClusters', 'istiodMetrics', 'remoteCredentials', 'readerAccount'],
  sides: {
    remoteSecrets: 'self',
    apiServer: 'peer',
    controlPlanes: 'self',
    istiodClusters: 'self',
    istiodMetrics: 'self',
    remoteCredentials: 'self',
    readerAccount: 'peer',
  },
  implies: ['MESH506', 'MESH507', 'MESH6'],
  judge: (facts, subject) => {
    const {remoteSecrets, apiServer, controlPlanes, istiodClusters, remoteCredentials} = facts;
    const {peer} = subject;
    const reason = noSecretsReason(controlPlanes.self);
    if (reason !== undefined) return notApplicable(reason);
    const {secret, kubeconfig} = credentialUsed(remoteSecrets.self, remoteCredentials?.self, peer) ?? {};
    const address = kubeconfig?.address;
    const wanted = resolveApiServer(peer, apiServer.peer.kubeconfig, apiServer.peer.rootCa);
    if (!kubeconfig || !address || !wanted)
      return notApplicable(missingReason(remoteSecrets.self, 'kubeconfig with a server', subject));
    const settling = settlingPods(remoteSecrets.self, controlPlanes.self, subject.now);
    const problem = addressProblem(peer.name, wanted);
    const compared = {
      kubeconfig,
      address,
      isLinked: remoteSecrets.self !== 'absent' && remoteSecrets.self.isLinked,
      wanted,
      known: apiServer.peer,
      state: syncStateOf(istiodClusters?.self, peer, settling),
      remedy: () => linkRemedy(subject, facts),
      subject: {...subject, secret},
    };
    const expected = problem
      ? 'an address that pods of other clusters can use, and its CA'
      : `${printableUrl(wanted.address.url)}, and ${hasPublicRoots(compared) ? 'public roots' : 'its CA'}`;
    const findings = [addressFinding(compared), caFinding(compared)];
    // Without istiod, nothing shows whether an address works that differs from the kubeconfig's.
    const found = findings.filter((one) => one !== undefined);
    if (istiodClusters === undefined && found.length > 0 && found.every(({isUnproven}) => isUnproven === true))
      return undecidedWithout('istiodClusters');
    return findingsOr(
      findings.map((finding) => finding && {expected, ...finding}),
      ok(printableUrl(address.url), expected),
    );
  },
  meaning:
    "The server, CA, TLS server name and proxy in the remote secret are those that mesh.yaml declares for the peer (apiServer). If mesh.yaml declares none, those in your kubeconfig are expected; others from which istiod has read the peer are right as well, since pods can reach an API server under another name. The CA is that of mesh.yaml, of your kubeconfig, or of ConfigMap kube-root-ca.crt in the peer; if your kubeconfig has none, public roots verify the server, and istiod's image contains them. An address that only a workstation can use, such as 127.0.0.1, is reported unless istiod has read the peer with it, now or when link wrote it; if your kubeconfig has only such an address, whether another one is right is unknown until istiod has read the peer. Within a minute after the remote secret was written or istiod started, what istiod reports proves nothing.",
  breaks:
    "istiod cannot connect to the peer's API server, or reads another cluster under the peer's name. With insecure-skip-tls-verify, any host between the clusters can take the token.",
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret "istio-remote-secret-$PEER" -o go-template=\'{{range .data}}{{base64decode .}}{{end}}\' | grep -E "server|certificate-authority|proxy-url|tls-server-name"\nkubectl config view --minify --flatten --context "$PEER_CTX"\nkubectl --context "$PEER_CTX" -n istio-system get configmap kube-root-ca.crt -o jsonpath="{.data.ca\\.crt}"',
  fix: 'Declare the address under which pods of other clusters reach the API server as apiServer in mesh.yaml, unless it is the one in your kubeconfig, and run `kubectl mesh link READER`.',
  source:
    'istio/istio istioctl/pkg/multicluster/remote_secret.go; k8s.io/client-go tools/clientcmd/api/v1/types.go; kubernetes/kubernetes pkg/controller/certificates/rootcacertpublisher/publisher.go',
});

function addressFinding({address, isLinked, wanted, state, remedy, subject}: Compared): Finding | undefined {
  const place = secretPlace(subject);
  const differing = addressDifferences(address, wanted.address).filter((field) => field !== 'caData');
  const local = localPart(address, wanted.source);
  // An address that link wrote worked then: where all control planes run on one machine, a loopback address does.
  const hasWorked = isLinked && differing.length === 0;
  if (local && !hasWorked && state !== 'synced') {
    const part = `the ${names[local.field]} in ${place}, ${printableUrl(local.url)}`;
    return unlessSynced(state, {
      observed: `${part}, cannot be used by pods of other clusters: ${local.reason}`,
      ...remedy(),
    });
  }
  if (differing.length === 0) return undefined;
  const observed = `${differing.map((field) => describe(field, address)).join(', ')} in ${place}`;
  if (addressProblem(subject.peer.name, wanted)) {
    // It shows nothing about the address that pods use.
    const unknown = `${observed}: whether pods can use it is unknown, as no address of ${subject.peer.name} for them is declared`;
    return unlessSynced(state, {observed: unknown, isUnproven: true, ...remedy()});
  }
  const expected = differing.map((field) => describe(field, wanted.address)).join(', ');
  // The kubeconfig shows how this workstation reaches the API server, which pods may reach otherwise.
  if (wanted.source === 'kubeconfig') return unlessSynced(state, {observed, expected, ...remedy()});
  return state === 'not synced'
    ? {observed, expected, ...remedy()}
    : {severity: 'warning', observed, expected, implies: [], ...remedy()};
}

const names = {
  url: 'server',
  caData: 'certificate-authority-data',
  tlsServerName: 'tls-server-name',
  proxyUrl: 'proxy-url',
} as const satisfies Record<keyof ApiServerAddress, string>;

function describe(field: Exclude<keyof ApiServerAddress, 'caData'>, address: ApiServerAddress): string {
  const value = address[field];
  return `${names[field]} ${value === undefined ? 'not set' : printableUrl(value)}`;
}
