/** Fixes for clusters whose CA somebody else makes: pushing what the work directory does not have would mend nothing. */
import {defaultBundleName} from '../istio/names.js';
import {clusterLayout} from '../mesh/layout.js';
import {usesCacerts} from '../mesh/signer.js';
import {crlFileName} from '../x509/crl.js';
import {fixWith, inWorkDir, lookWith, sequence, type Suggestion, words, writeTo} from '../suggest/suggestion.js';
import type {ClusterSubject} from './check.js';
import type {CaOrigin} from '../facts/facts.js';
import {pushFix, renewFix, restartFix} from './fixes.js';

/** Lets istiod load what it ought to sign with. */
export function loadFix(origin: CaOrigin | undefined, subject: ClusterSubject, restart = true): Suggestion {
  if (origin?.from !== 'elsewhere') return pushFix(subject, restart);
  return restartFix(subject);
}

/** `cert-manager Certificate istio-ca`, as the keeper of Secret cacerts is called. */
const certManagers = /^cert-manager Certificate (\S+)$/;

/** Another certificate for the cluster's CA: from whoever makes it. */
export function otherCaFix(origin: CaOrigin | undefined, subject: ClusterSubject): Suggestion {
  if (origin?.from !== 'elsewhere') return renewFix(subject);
  const {cluster, mesh} = subject;
  const {namespace} = mesh.istio;
  // There is no Secret to look at: what workloads are given is all there is to see.
  if (!usesCacerts(mesh.trust.signer)) {
    return lookWith.kubectl(cluster, words`-n ${namespace} get configmap ${defaultBundleName} -o yaml`);
  }
  const [, certificate] = certManagers.exec(origin.keeper ?? '') ?? [];
  if (origin.keeper === 'cert-manager') {
    return lookWith.kubectl(cluster, words`-n ${namespace} describe certificates.cert-manager.io`);
  }
  // cert-manager's own command line; kubectl alone cannot set the condition that makes it issue anew.
  return certificate === undefined
    ? lookWith.kubectl(cluster, words`-n ${namespace} describe secret/cacerts`)
    : fixWith.cmctl(cluster, words`renew -n ${namespace} ${certificate}`);
}

/**
 * Takes the revocation lists out of Secret cacerts. A push keeps what was there as cacerts-previous; lists of the work
 * directory (`isPushed`), which nobody else may have, are laid aside.
 */
export function noListsFix(origin: CaOrigin | undefined, subject: ClusterSubject, isPushed: boolean): Suggestion {
  const {cluster, mesh} = subject;
  if (origin?.from !== 'elsewhere') {
    const path = clusterLayout(cluster.name).caCrl;
    const file = inWorkDir(path);
    const aside = isPushed ? [fixWith.run('mv', [file, inWorkDir(`${path}.old`)])] : [];
    return sequence(...aside, writeTo(file, lookWith.run(':', [])), pushFix(subject));
  }
  const patch = JSON.stringify([{op: 'remove', path: `/data/${crlFileName}`}]);
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} patch secret cacerts --type=json -p ${patch}`);
}
