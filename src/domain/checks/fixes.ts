/**
 * Commands that fix the findings of several checks. Each is complete: running it as printed makes the check pass. It replaces
 * exactly what the finding reports, so it includes `--yes` instead of prompting again.
 */
import type {CaSource} from '../istio/ca-source.js';
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
 * Makes Secret cacerts equal to the work directory. `restart`: istiod cannot load the change without a restart, or that is
 * unknown; the push then restarts only the istiods that need it.
 */
export function pushFix({cluster}: OneCluster, restart = true): Suggestion {
  return kubectlMesh('trust push', [cluster.name, ...(restart ? ['--restart-istiod'] : []), '--yes']);
}

/**
 * Creates a new key and certificate for the cluster CA, and pushes them if the cluster has a context. With an external CA it
 * creates the request; the user continues once the CA has returned a chain.
 */
export function renewFix({cluster, mesh}: InMesh): Suggestion {
  if (mesh.trust.signer.type === 'csr') return kubectlMesh('certs request', [cluster.name, '--renew']);
  const renew = kubectlMesh('certs generate', [cluster.name, '--renew', '--yes']);
  return cluster.context === undefined ? renew : sequence(renew, pushFix({cluster}));
}

/** Renders install.yaml from mesh.yaml and applies it. `flags`: those that `install apply` requires. */
export function reinstallFix({cluster: {name}}: OneCluster, ...flags: readonly string[]): Suggestion {
  return sequence(kubectlMesh('install render', [name]), kubectlMesh('install apply', [name, ...flags, '--yes']));
}

/** Like {@link reinstallFix}, for a version other than the running one. Without `wanted`: a later one. */
export function upgradeFix(subject: OneCluster, running: string, wanted?: string): Suggestion {
  const isRefused =
    wanted !== undefined &&
    refuseVersionChange(reportedVersion(running), reportedVersion(wanted), {upgrade: true, forceVersion: false}) !==
      undefined;
  return reinstallFix(subject, isRefused ? '--force-version' : '--upgrade');
}

/** Opens mesh.yaml in an editor: only the user knows what it should declare. */
export function editMeshYaml(): Suggestion {
  return edit(inWorkDir('mesh.yaml'));
}

/**
 * Restarts the named istiods (none named: all), which makes them read cacerts again. Only where the restart loads no root that
 * the mesh does not trust yet: otherwise `trust push` must first check for workloads that run under a root it would remove.
 */
export function restartFix({cluster, mesh}: InMesh, ...names: readonly string[]): Suggestion {
  const which = names.length === 0 ? words`deployment -l app=istiod` : names.map((name) => `deployment/${name}`);
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} rollout restart ${which}`);
}

/** Makes istiod load the CA that it should sign with. A push would not help if the work directory holds no CA. */
export function loadFix(origin: CaOrigin | undefined, subject: ClusterSubject, restart = true): Suggestion {
  if (origin?.from === 'mounted') return inspectSource(origin.source, subject);
  return origin?.from === 'external' ? restartFix(subject) : pushFix(subject, restart);
}

/** Shows what istiod mounts instead of Secret cacerts: only a user knows whether that or the installation is to change. */
export function inspectSource(source: CaSource, {cluster, mesh}: InMesh): Suggestion {
  const what = source.from === 'secret' ? words`secret/${source.name}` : words`deployment -l app=istiod`;
  return inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe ${what}`);
}

/** `cert-manager Certificate istio-ca`, a value of `CaOrigin.managedBy`. */
const certManagerCertificate = /^cert-manager Certificate (\S+)$/;

/** A new certificate for the cluster CA, from the tool that issues it. */
export function replaceCaFix(origin: CaOrigin | undefined, subject: ClusterSubject): Suggestion {
  if (origin?.from === 'mounted') return inspectSource(origin.source, subject);
  if (origin?.from !== 'external') return renewFix(subject);
  const {cluster, mesh} = subject;
  const {namespace} = mesh.istio;
  // There is no Secret to inspect: only the bundle that workloads get can be shown.
  if (!usesCacerts(mesh.trust.signer)) {
    return inspectWith.kubectl(cluster, words`-n ${namespace} get configmap ${defaultBundleName} -o yaml`);
  }
  const [, certificate] = certManagerCertificate.exec(origin.managedBy ?? '') ?? [];
  if (origin.managedBy === 'cert-manager') {
    return inspectWith.kubectl(cluster, words`-n ${namespace} describe certificates.cert-manager.io`);
  }
  // kubectl alone cannot set the condition that makes cert-manager issue again, so this uses cmctl.
  return certificate === undefined
    ? inspectWith.kubectl(cluster, words`-n ${namespace} describe secret/cacerts`)
    : fixWith.cmctl(cluster, words`renew -n ${namespace} ${certificate}`);
}

/**
 * Removes the revocation lists from Secret cacerts. A push saves the previous Secret as cacerts-previous; lists in the work
 * directory (`isPushed`), possibly the only copy, are renamed.
 */
export function removeCrlFix(origin: CaOrigin | undefined, subject: ClusterSubject, isPushed: boolean): Suggestion {
  const {cluster, mesh} = subject;
  if (origin?.from === 'mounted') return inspectSource(origin.source, subject);
  if (origin?.from !== 'external') {
    const path = clusterLayout(cluster.name).caCrl;
    const file = inWorkDir(path);
    const aside = isPushed ? [fixWith.run('mv', [file, inWorkDir(`${path}.old`)])] : [];
    return sequence(...aside, writeTo(file, inspectWith.run(':', [])), pushFix(subject));
  }
  const patch = JSON.stringify([{op: 'remove', path: `/data/${crlFileName}`}]);
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} patch secret cacerts --type=json -p ${patch}`);
}
