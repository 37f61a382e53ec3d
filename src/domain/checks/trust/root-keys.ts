import {some} from '../../format.js';
import {cacertsName, selfSignedName} from '../../istio/names.js';
import {fixWith, inspectWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, ok, type Finding} from '../check.js';
import {renewFix} from '../fixes.js';

/** A cluster does not hold the key of the whole mesh. */
export const rootKeysCheck = apiServerCheck({
  id: 'MESH312',
  title: 'No Secret of the cluster holds a root key',
  severity: 'warning',
  requires: ['rootKeysInSecrets'],
  optional: ['rootKey'],
  expected: "no key of the mesh's roots in Secrets cacerts and istio-ca-secret",
  judge: ({rootKeysInSecrets, rootKey}, subject) => {
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
      const entries = rootKeysInSecrets.filter((one) => one.secret === secret).map(({entry}) => entry);
      const observed = `Secret ${namespace}/${secret} holds the key of a root of this mesh (${some(entries)})`;
      if (secret === cacertsName) return {observed, fix: renewFix(subject)};
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
    "Neither Secret cacerts nor Secret istio-ca-secret holds the private key of one of the mesh's roots, in any data key. A Secret that trust.signer declares (type cluster) is permitted in that cluster only. Without cacerts, istiod signs with istio-ca-secret, which MESH304 reports.",
  breaks:
    "Any subject that can read Secrets in Istio's namespace can impersonate every workload of every cluster, and no new cluster CA changes that.",
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret istio-ca-secret -o jsonpath="{.data.ca-key\\.pem}" | base64 -d | openssl pkey -pubout | sha256sum\nopenssl x509 -in root-cert.pem -noout -pubkey | sha256sum',
  fix: 'For cacerts, create a cluster CA with `kubectl mesh certs generate CLUSTER --renew` and push it. For istio-ca-secret, which remains after the migration to cacerts, first make sure that the root key is stored elsewhere, or declare the Secret of one cluster as trust.signer; then delete it with kubectl. If others could read the Secret, plan a new root.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go (istio-ca-secret)',
});
