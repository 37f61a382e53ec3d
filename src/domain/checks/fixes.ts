/**
 * Commands that fix what several checks find. They are complete: typed as printed they lead to green. What they replace
 * is what the finding says is wrong, so they agree to it (`--yes`) instead of asking again.
 */
import {refuseVersionChange, saidVersion} from '../install/version-change.js';
import {edit, fixWith, inWorkDir, kubectlMesh, sequence, type Suggestion, words} from '../suggest/suggestion.js';
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
    refuseVersionChange(saidVersion(running), saidVersion(wanted), {upgrade: true, forceVersion: false}) !== undefined;
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
