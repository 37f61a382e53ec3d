import {some} from '../../format.js';
import {cacertsName, previousName, selfSignedName} from '../../istio/names.js';
import {fixWith, inspectWith, kubectlMesh, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, ok, type Finding} from '../check.js';
import {provideCa, replaceCa} from '../remedies.js';

/** A cluster does not hold the key of the whole mesh. */
export const rootKeysCheck = apiServerCheck({
  id: 'MESH312',
  title: 'No Secret of the cluster holds a root key',
  severity: 'warning',
  requires: ['rootKeysInSecrets'],
  optional: ['rootKey', 'caOrigin'],
  expected: "no key of the mesh's roots in Secrets cacerts, cacerts-previous and istio-ca-secret",
  judge: ({rootKeysInSecrets, rootKey, caOrigin}, subject) => {
    const {cluster, mesh} = subject;
    const {namespace} = mesh.istio;
    const {signer} = mesh.trust;
    const isSigner = (secret: string): boolean =>
      signer.type === 'cluster' &&
      signer.context === cluster.context &&
      (signer.secret ?? selfSignedName) === secret &&
      (signer.namespace ?? namespace) === namespace;
    const names = [...new Set(rootKeysInSecrets.map(({secret}) => secret))];
    const findings = names.map((secret): Finding | undefined => {
      if (isSigner(secret)) return undefined;
      const places = rootKeysInSecrets.filter((one) => one.secret === secret);
      const entries = places.map(({entry}) => entry);
      const observed = `Secret ${namespace}/${secret} holds the key of a root of this mesh (${some(entries)})`;
      if (secret === cacertsName || places.some(({isMounted}) => isMounted)) {
        return {observed, ...replaceCa(caOrigin, subject)};
      }
      if (secret === previousName) {
        return {observed, fix: kubectlMesh('trust rollback', words`${cluster.name} --forget --yes`)};
      }
      // istiod has no other CA before the cluster CA is pushed.
      if (places.some(({inUse}) => inUse === true)) return {observed, ...provideCa(caOrigin, subject)};
      // It can be the only copy of the key.
      const hasOther = rootKey !== undefined && rootKey.protection !== 'absent';
      const name = words`-n ${namespace} ${hasOther ? 'delete' : 'describe'} secret ${secret}`;
      return {observed, fix: hasOther ? fixWith.kubectl(cluster, name) : inspectWith.kubectl(cluster, name)};
    });
    const [first] = names;
    return findingsOr(
      findings,
      first === undefined ? ok('none') : ok(`only in Secret ${first}, which trust.signer declares`),
    );
  },
  meaning:
    "None of the Secrets cacerts, cacerts-previous, istio-ca-secret and the one that istiod mounts holds the private key of one of the mesh's roots, in any data key. A Secret that trust.signer declares (type cluster) is permitted in that cluster only. Other Secrets are not read, because this would require the right to read all of them.",
  breaks:
    "Any subject that can read Secrets in Istio's namespace can impersonate every workload of every cluster, and no new cluster CA changes that.",
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret istio-ca-secret -o jsonpath="{.data.ca-key\\.pem}" | base64 -d | openssl pkey -pubout | sha256sum\nopenssl x509 -in root-cert.pem -noout -pubkey | sha256sum',
  fix: 'For cacerts, create a cluster CA with `kubectl mesh certs generate CLUSTER --renew` and push it. Delete cacerts-previous with `kubectl mesh trust rollback CLUSTER --forget`. If istiod still signs with istio-ca-secret, push the cluster CA first. For istio-ca-secret, which remains after the migration to cacerts, first make sure that the root key is stored elsewhere, or declare the Secret of one cluster as trust.signer; then delete it with kubectl. If others could read the Secret, plan a new root.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go (istio-ca-secret)',
});
