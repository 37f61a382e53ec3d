import {
  addressDifferences,
  addressProblem,
  type ResolvedApiServer,
  resolveApiServer,
} from '../../discovery/api-server.js';
import type {ApiServerAddress, RemoteKubeconfig} from '../../discovery/remote-kubeconfig.js';
import type {ApiServerFacts} from '../../facts/facts.js';
import {printableLine} from '../../printable.js';
import {sequence, type Suggestion} from '../../suggest/suggestion.js';
import {
  apiServerCheck,
  findingsOr,
  notApplicable,
  ok,
  undecidedWithout,
  type Finding,
  type PairSubject,
} from '../check.js';
import {editMeshYaml} from '../fixes.js';
import {credentialUsed, noSecretsReason, secretPlace, syncStateOf, type SyncState} from './credentials.js';
import {linkFix} from './link-fix.js';

/** Address and CA in the reader's remote secret are those of the peer's API server. */
export const addressCheck = apiServerCheck({
  id: 'MESH505',
  title: "Address and CA in the remote secret are those of the peer's API server",
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['remoteSecrets', 'apiServer', 'controlPlanes'],
  optional: ['istiodClusters', 'istiodMetrics', 'remoteCredentials'],
  sides: {
    remoteSecrets: 'self',
    apiServer: 'peer',
    controlPlanes: 'self',
    istiodClusters: 'self',
    istiodMetrics: 'self',
    remoteCredentials: 'self',
  },
  implies: ['MESH506', 'MESH507'],
  judge: ({remoteSecrets, apiServer, controlPlanes, istiodClusters, istiodMetrics, remoteCredentials}, subject) => {
    const {peer} = subject;
    const reason = noSecretsReason(controlPlanes.self);
    if (reason !== undefined) return notApplicable(reason);
    const {secret, kubeconfig} = credentialUsed(remoteSecrets.self, remoteCredentials?.self, peer) ?? {};
    const address = kubeconfig?.address;
    const wanted = resolveApiServer(peer, apiServer.peer.kubeconfig, apiServer.peer.rootCa);
    if (!kubeconfig || !address || !wanted) return notApplicable('there is no kubeconfig with a server (MESH501)');
    const link = linkFix(subject, {
      ...{controlPlanes, istiodMetrics, istiodClusters, remoteSecrets, remoteCredentials, apiServer},
    });
    const compared = {
      kubeconfig,
      address,
      isLinked: remoteSecrets.self !== 'absent' && remoteSecrets.self.isLinked,
      wanted,
      known: apiServer.peer,
      state: syncStateOf(istiodClusters?.self, peer),
      // link writes no server whose certificate the kubeconfig does not verify.
      fix: wanted.insecure === true ? sequence(editMeshYaml(), link) : link,
      subject: {...subject, secret},
    };
    const expected = `${wanted.address.url}, and its CA`;
    const findings = [addressFinding(compared), ...caFindings(compared)];
    // Without istiod, nothing shows whether an address works that differs from the kubeconfig's.
    const found = findings.filter((one) => one !== undefined);
    if (istiodClusters === undefined && found.length > 0 && found.every(({isUnproven}) => isUnproven === true))
      return undecidedWithout('istiodClusters');
    return findingsOr(
      findings.map((finding) => finding && {expected, ...finding}),
      ok(printableLine(address.url), expected),
    );
  },
  meaning:
    'The server, CA, TLS server name and proxy in the remote secret are those that mesh.yaml declares for the peer (apiServer). If mesh.yaml declares none, the server in your kubeconfig is expected; an address from which istiod has read the peer is right as well, since pods can reach an API server under another name. The CA is that of mesh.yaml, of your kubeconfig, or of ConfigMap kube-root-ca.crt in the peer. An address that only a workstation can use, such as 127.0.0.1, is reported unless istiod has read the peer with it, now or when link wrote it.',
  breaks:
    "istiod cannot connect to the peer's API server, or reads another cluster under the peer's name. With insecure-skip-tls-verify, any host between the clusters can take the token.",
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret "istio-remote-secret-$PEER" -o go-template=\'{{range .data}}{{base64decode .}}{{end}}\' | grep -E "server|certificate-authority|proxy-url|tls-server-name"\nkubectl config view --minify --flatten --context "$PEER_CTX"\nkubectl --context "$PEER_CTX" -n istio-system get configmap kube-root-ca.crt -o jsonpath="{.data.ca\\.crt}"',
  fix: 'Declare the address under which pods of other clusters reach the API server as apiServer in mesh.yaml, unless it is the one in your kubeconfig, and run `kubectl mesh link READER`.',
  source:
    'istio/istio istioctl/pkg/multicluster/remote_secret.go; k8s.io/client-go tools/clientcmd/api/v1/types.go; kubernetes/kubernetes pkg/controller/certificates/rootcacertpublisher/publisher.go',
});

interface Compared {
  readonly kubeconfig: RemoteKubeconfig;
  readonly address: ApiServerAddress;
  readonly isLinked: boolean;
  readonly wanted: ResolvedApiServer;
  readonly known: ApiServerFacts;
  readonly state: SyncState;
  readonly fix: Suggestion;
  readonly subject: PairSubject & {readonly secret: string | undefined};
}

/** A difference is decisive only if the address does not work: that is unknown if istiod does not report it. */
function unlessSynced(state: SyncState, finding: Finding): Finding | undefined {
  if (state === 'synced') return undefined;
  return state === 'not synced' ? finding : {...finding, isUnproven: true};
}

function addressFinding({address, isLinked, wanted, state, fix, subject}: Compared): Finding | undefined {
  const place = secretPlace(subject);
  const differing = addressDifferences(address, wanted.address).filter((field) => field !== 'caData');
  const local = addressProblem(subject.peer.name, {address, source: wanted.source});
  // An address that link wrote worked then: where all control planes run on one machine, a loopback address does.
  const hasWorked = isLinked && differing.length === 0;
  if (local && !hasWorked && state !== 'synced') {
    const onlyDeclared = addressProblem(subject.peer.name, wanted) === undefined;
    return unlessSynced(state, {
      observed: `the server in ${place}, ${printableLine(address.url)}, cannot be used by pods of other clusters`,
      fix: onlyDeclared ? fix : sequence(editMeshYaml(), fix),
    });
  }
  if (differing.length === 0) return undefined;
  const observed = `${differing.map((field) => describe(field, address)).join(', ')} in ${place}`;
  const expected = differing.map((field) => describe(field, wanted.address)).join(', ');
  if (wanted.source === 'mesh.yaml') {
    return state === 'not synced'
      ? {observed, expected, fix}
      : {severity: 'warning', observed, expected, implies: [], fix};
  }
  // The kubeconfig shows how this workstation reaches the API server, which pods may reach otherwise.
  return differing.includes('url') ? unlessSynced(state, {observed, expected, fix}) : undefined;
}

const names = {
  url: 'server',
  caData: 'certificate-authority-data',
  tlsServerName: 'tls-server-name',
  proxyUrl: 'proxy-url',
} as const satisfies Record<keyof ApiServerAddress, string>;

function describe(field: keyof ApiServerAddress, address: ApiServerAddress): string {
  return `${names[field]} ${printableLine(address[field] ?? 'not set')}`;
}

function caFindings({
  kubeconfig,
  address,
  wanted,
  known,
  state,
  fix,
  subject,
}: Compared): readonly (Finding | undefined)[] {
  const place = secretPlace(subject);
  if (kubeconfig.insecure === true) {
    const observed = `the kubeconfig in ${place} does not verify the server's certificate (insecure-skip-tls-verify)`;
    return [{severity: 'warning', observed, implies: [], fix}];
  }
  const {caData} = address;
  if (caData === undefined && kubeconfig.caFile !== undefined) {
    const observed = `the CA in ${place} is a file, ${printableLine(kubeconfig.caFile)}, which istiod's pod does not have`;
    return [{observed, fix}];
  }
  const {rootCa} = known;
  const ofServer = [
    wanted.address.caData,
    known.kubeconfig?.caData,
    rootCa === undefined ? undefined : Buffer.from(rootCa).toString('base64'),
  ].flatMap(certificatesIn);
  if (ofServer.length === 0) return [];
  const own = certificatesIn(caData);
  if (own.some((one) => ofServer.includes(one))) return [];
  const finding: Finding = {
    observed: `${caData === undefined ? 'there is no CA' : 'the CA is another one'} in ${place}`,
    fix,
  };
  // Another address of the same API server can have a certificate of another CA, which may be in istiod's image.
  const isDeclared = wanted.source === 'mesh.yaml' && subject.peer.apiServer?.caData !== undefined;
  const isSameServer = [wanted.address.url, known.kubeconfig?.url].includes(address.url);
  return caData !== undefined && (isDeclared || isSameServer) ? [finding] : [unlessSynced(state, finding)];
}

/** The certificates in a CA field, as base64 without line breaks. */
function certificatesIn(caData: string | undefined): readonly string[] {
  const text = Buffer.from(caData ?? '', 'base64').toString('utf8');
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)].map(([, body = '']) =>
    body.replace(/\s/g, ''),
  );
}
