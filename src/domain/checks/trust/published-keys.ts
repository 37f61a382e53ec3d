import {some} from '../../format.js';
import {inspectWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, ok} from '../check.js';
import {replaceCa} from '../remedies.js';

/** istiod and ConfigMaps publish no key. */
export const publishedKeysCheck = apiServerCheck({
  id: 'MESH311',
  title: 'No private key is published in the cluster',
  requires: ['publishedKeys'],
  optional: ['caOrigin'],
  implies: ['MESH301'],
  expected: "no private key in the public data of Secret cacerts, the trust bundles and Istio's ConfigMaps",
  judge: ({publishedKeys, caOrigin}, subject) => {
    if (publishedKeys.length === 0) return ok('none');
    const isInSecret = publishedKeys.some((place) => place.includes('Secret'));
    const {cluster, mesh} = subject;
    const inspect = inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} get configmaps`);
    return {
      observed: `a private key, which is compromised: ${some(publishedKeys)}`,
      ...(isInSecret ? replaceCa(caOrigin, subject) : {fix: inspect}),
    };
  },
  meaning:
    "root-cert.pem, cert-chain.pem, ca-cert.pem and ca-crl.pem in Secret cacerts (ca.crt and tls.crt in the other layout), ConfigMap istio-ca-root-cert in every namespace and the ConfigMaps in Istio's namespace, including meshConfig.caCertificates, contain no private key: neither as PEM nor encrypted, nor as base64 in a comment.",
  breaks:
    'istiod copies root-cert.pem unchanged to a ConfigMap in every namespace, and sends cert-chain.pem with each certificate. Every workload and every user who can read ConfigMaps has the key.',
  byHand:
    'kubectl --context "$CTX" get configmaps -A -o yaml | grep -c "PRIVATE KEY"   # finds PEM only\nkubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.root-cert\\.pem}" | base64 -d | grep -c "PRIVATE KEY"',
  fix: 'The key is compromised. For a cluster CA key, run `kubectl mesh certs generate CLUSTER --renew` and `kubectl mesh trust push CLUSTER --restart-istiod`, which replaces the Secret and does not keep the old one. For the root key, create a new root. For a key in the values of install.yaml, remove it there, then render and apply the file.',
  source:
    'istio/istio security/pkg/k8s/configutil.go, pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go',
});
