/**
 * Commands that fix what several checks find. They are complete: typed as printed they lead to green. What they replace
 * is what the finding says is wrong, so they agree to it (`--yes`) instead of asking again.
 */
import type {MeshCluster} from '../mesh/mesh.js';
import {refuseVersionChange, saidVersion} from '../install/version-change.js';
import {edit, fixWith, inWorkDir, kubectlMesh, sequence, type Suggestion, words} from '../suggest/suggestion.js';
import type {ClusterSubject, Subject} from './check.js';

type OneCluster = Pick<ClusterSubject, 'cluster'>;

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
export function renewFix({cluster, mesh}: {readonly cluster: MeshCluster} & Pick<Subject, 'mesh'>): Suggestion {
  if (mesh.trust.signer.type === 'csr') return kubectlMesh('certs request', [cluster.name, '--renew']);
  const renew = kubectlMesh('certs generate', [cluster.name, '--renew', '--yes']);
  return cluster.context === undefined ? renew : sequence(renew, pushFix({cluster}));
}

/** install.yaml as declared, and istiod with it. */
export function reinstallFix({cluster}: OneCluster): Suggestion {
  return renderAndApply(cluster, []);
}

/**
 * install.yaml as declared, and istiod with it, in another version than runs. Without `wanted`: some later one. The flags
 * are those that `install apply` asks for in that case.
 */
export function upgradeFix({cluster}: OneCluster, running: string, wanted?: string): Suggestion {
  const isRefused = (upgrade: boolean): boolean =>
    wanted !== undefined &&
    refuseVersionChange(saidVersion(running), saidVersion(wanted), {upgrade, forceVersion: false}) !== undefined;
  return renderAndApply(cluster, [isRefused(true) ? '--force-version' : '--upgrade']);
}

/** mesh.yaml in an editor: only a person knows what it ought to declare. */
export function editMeshYaml(): Suggestion {
  return edit(inWorkDir('mesh.yaml'));
}

function renderAndApply({name}: MeshCluster, flags: readonly string[]): Suggestion {
  return sequence(kubectlMesh('install render', [name]), kubectlMesh('install apply', [name, ...flags, '--yes']));
}

/**
 * A new process for every istiod, which reads cacerts anew. Only where that brings no root that the mesh does not have
 * already: elsewhere the push asks first about workloads that run under a root that would go.
 */
export function restartFix({cluster, mesh}: OneCluster & Pick<Subject, 'mesh'>): Suggestion {
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} rollout restart deployment -l app=istiod`);
}
