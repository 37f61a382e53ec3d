/**
 * Commands that mend, shared by several checks. They are whole: typed as printed they lead to green. What they replace
 * is what the finding says is wrong, so they agree to it (`--yes`) instead of asking again.
 */
import type {MeshCluster} from '../mesh/mesh.js';
import {refuseVersionChange, saidVersion} from '../install/version-change.js';
import type {ClusterSubject, Subject} from './check.js';

/**
 * Makes Secret cacerts equal to the work directory. `restart`: istiod cannot load that by itself, or it cannot be told
 * yet whether it can; the push then restarts only the istiods that need it.
 */
export function pushFix({cluster, commands}: Pick<ClusterSubject, 'cluster' | 'commands'>, restart = true): string {
  return commands.meshCluster(`trust push ${cluster.name}${restart ? ' --restart-istiod' : ''} --yes`);
}

/**
 * A new key and certificate for the cluster's CA, and into the cluster with it where one is known. Where a CA elsewhere signs
 * it begins with a request, and goes on when that was answered.
 */
export function renewFix({
  cluster,
  commands,
  mesh,
}: {readonly cluster: MeshCluster} & Pick<Subject, 'commands' | 'mesh'>): string {
  if (mesh.trust.signer.type === 'csr') return commands.mesh(`certs request ${cluster.name} --renew`);
  const renew = commands.mesh(`certs generate ${cluster.name} --renew --yes`);
  return cluster.context === undefined ? renew : `${renew} && ${pushFix({cluster, commands})}`;
}

/** install.yaml as declared, and istiod with it. */
export function reinstallFix({cluster, commands}: Pick<ClusterSubject, 'cluster' | 'commands'>): string {
  const render = commands.meshCluster(`install render ${cluster.name}`);
  return `${render} && ${commands.meshCluster(`install apply ${cluster.name} --yes`)}`;
}

/**
 * install.yaml as declared, and istiod with it, in another version than runs. Without `wanted`: some later one. The flags
 * are those that `install apply` asks for in that case.
 */
export function upgradeFix(
  {cluster, commands}: Pick<ClusterSubject, 'cluster' | 'commands'>,
  running: string,
  wanted?: string,
): string {
  const isRefused = (upgrade: boolean): boolean =>
    wanted !== undefined &&
    refuseVersionChange(saidVersion(running), saidVersion(wanted), {upgrade, forceVersion: false}) !== undefined;
  const flag = isRefused(true) ? '--force-version' : '--upgrade';
  const render = commands.meshCluster(`install render ${cluster.name}`);
  return `${render} && ${commands.meshCluster(`install apply ${cluster.name} ${flag} --yes`)}`;
}

/**
 * A new process for every istiod, which reads cacerts anew. Only where that brings no root that the mesh does not have
 * already: elsewhere the push asks first about workloads that run under a root that would go.
 */
export function restartFix({cluster, commands, mesh}: Pick<ClusterSubject, 'cluster' | 'commands' | 'mesh'>): string {
  return commands.kubectl(cluster, `-n ${mesh.istio.namespace} rollout restart deployment -l app=istiod`);
}
