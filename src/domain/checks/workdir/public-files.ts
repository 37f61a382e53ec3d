import {clusterLayout} from '../../mesh/layout.js';
import {printableLine} from '../../printable.js';
import {edit, inWorkDir} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, ok} from '../check.js';
import {newCa} from '../remedies.js';

/** Files that are committed and sent to clusters contain no key. */
export const publicFilesCheck = workDirCheck({
  id: 'MESH117',
  title: 'No public file contains a private key',
  scope: 'mesh',
  requires: ['keysInPublicFiles'],
  // A key as a PEM block makes the file unreadable.
  implies: ['MESH103'],
  expected: 'no private key in certificates, revocation lists, requests, install.yaml and mesh.yaml',
  judge: ({keysInPublicFiles}, subject) =>
    findingsOr(
      keysInPublicFiles.map(({path, cluster: name}) => {
        const cluster = subject.mesh.clusters.find((one) => one.name === name);
        const {caCert, rootCert, certChain} = clusterLayout(name ?? '');
        const observed = `${printableLine(path)} contains a private key, which is compromised if others could read the file`;
        // A renewal replaces the key and these files; only a user can edit the others.
        const isRenewed = [caCert, rootCert, certChain].includes(path);
        if (cluster && isRenewed) return {observed, clusters: [cluster.name], ...newCa({...subject, cluster})};
        const fix = edit(inWorkDir(path));
        return cluster ? {observed, clusters: [cluster.name], fix} : {observed, fix};
      }),
      ok('no file contains one'),
    ),
  meaning:
    'The certificate files, ca-crl.pem, ca.csr and install.yaml of each cluster, root-cert.pem and mesh.yaml contain no private key: neither as PEM nor encrypted, nor as base64 in a comment.',
  breaks:
    'These files are committed to git. istiod publishes root-cert.pem and ca-crl.pem to every namespace, and cert-chain.pem with each certificate; istioctl writes the values in install.yaml to ConfigMaps. Anyone who can read one of them can use the key. Commands refuse to send such files (PRIVATE_KEY_PUBLISHED).',
  byHand: 'grep -l "PRIVATE KEY" root-cert.pem */*cert*.pem */ca-crl.pem */install.yaml   # finds PEM only',
  fix: 'Remove the key from the file. If others could read the file, also replace the key: for a cluster CA with `kubectl mesh certs generate CLUSTER --renew`, then push it; for the root key, create a new root.',
  source: 'istio/istio security/pkg/pki/ca/ca.go, security/pkg/k8s/configutil.go (root-cert.pem in a ConfigMap)',
});
