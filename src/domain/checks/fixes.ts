/**
 * Commands that fix what several checks find. They are complete: typed as printed they lead to green. What they replace
 * is what the finding says is wrong, so they agree to it (`--yes`) instead of asking again.
 */
import {defaultBundleName} from '../istio/names.js';
import {clusterLayout} from '../mesh/layout.js';
import {usesCacerts} from '../mesh/signer.js';
import {crlFileName} from '../x509/crl.js';
import type {CaOrigin} from '../facts/facts.js';
import {refuseVersionChange, reportedVersion} from '../install/version-change.js';
import {
  edit,
  fixWith,
  inWorkDir,
  kubectlMesh,
  inspectWith,
  sequence,
  type Suggestion,
  words,
  writeTo,
} from '../suggest/suggestion.js';
import type {ClusterSubject} from './check.js';

type OneCluster = Pick<ClusterSubject, 'cluster'>;
type InMesh = Pick<ClusterSubject, 'cluster' | 'mesh'>;

/**
 * Makes Secret cacerts equal to the work directory. `restart`: istiod cannot load that by itself, or it cannot be told
 * yet whether it can; the push then restarts only the istiods that need it.
 */
export function pushFix({cluster}: OneCluster, restart = true): Suggestion {
  return kubectlMesh('trust push', [cluster.name, ...(restart ? ['--restart-istiod'] : []), '--yes']);
}

/**
 * A new key and certificate for the cluster's CA, and into the cluster with it where one is known. Where a CA elsewhere signs
 * it begins with a request, and goes on when that was answered.
 */
export function renewFix({cluster, mesh}: InMesh): Suggestion {
  if (mesh.trust.signer.type === 'csr') return kubectlMesh('certs request', [cluster.name, '--renew']);
  const renew = kubectlMesh('certs generate', [cluster.name, '--renew', '--yes']);
  return cluster.context === undefined ? renew : sequence(renew, pushFix({cluster}));
}

/** install.yaml as declared, and istiod with it. `flags`: those that `install apply` asks for. */
export function reinstallFix({cluster: {name}}: OneCluster, ...flags: readonly string[]): Suggestion {
  return sequence(kubectlMesh('install render', [name]), kubectlMesh('install apply', [name, ...flags, '--yes']));
}

/** The same in another version than runs. Without `wanted`: some later one. */
export function upgradeFix(subject: OneCluster, running: string, wanted?: string): Suggestion {
  const isRefused =
    wanted !== undefined &&
    refuseVersionChange(reportedVersion(running), reportedVersion(wanted), {upgrade: true, forceVersion: false}) !==
      undefined;
  return reinstallFix(subject, isRefused ? '--force-version' : '--upgrade');
}

/** mesh.yaml in an editor: only a person knows what it ought to declare. */
export function editMeshYaml(): Suggestion {
  return edit(inWorkDir('mesh.yaml'));
}

/**
 * A new process for these istiods (none named: for every one), which reads cacerts anew. Only where that brings no root that
 * the mesh does not have already: elsewhere the push asks first about workloads that run under a root that would go.
 */
export function restartFix({cluster, mesh}: InMesh, ...names: readonly string[]): Suggestion {
  const which = names.length === 0 ? words`deployment -l app=istiod` : names.map((name) => `deployment/${name}`);
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} rollout restart ${which}`);
}

/** Makes istiod load the CA that it should sign with. Pushing what the work directory does not have would fix nothing. */
export function loadFix(origin: CaOrigin | undefined, subject: ClusterSubject, restart = true): Suggestion {
  return origin?.from === 'elsewhere' ? restartFix(subject) : pushFix(subject, restart);
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
    return inspectWith.kubectl(cluster, words`-n ${namespace} get configmap ${defaultBundleName} -o yaml`);
  }
  const [, certificate] = certManagers.exec(origin.keeper ?? '') ?? [];
  if (origin.keeper === 'cert-manager') {
    return inspectWith.kubectl(cluster, words`-n ${namespace} describe certificates.cert-manager.io`);
  }
  // cert-manager's own command line; kubectl alone cannot set the condition that makes it issue anew.
  return certificate === undefined
    ? inspectWith.kubectl(cluster, words`-n ${namespace} describe secret/cacerts`)
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
    return sequence(...aside, writeTo(file, inspectWith.run(':', [])), pushFix(subject));
  }
  const patch = JSON.stringify([{op: 'remove', path: `/data/${crlFileName}`}]);
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} patch secret cacerts --type=json -p ${patch}`);
}
