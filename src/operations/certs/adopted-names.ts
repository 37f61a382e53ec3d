/** The names under which `certs adopt` declares running clusters: ours, and Istio's, which a running cluster keeps. Pure. */
import {type ErrorReport, MeshError, problem} from '../../domain/errors.js';
import {clusterOfIstioName, ownerOfIstioName} from '../../domain/mesh/istio-name.js';
import {isClusterName, istioNamePattern, suggestName} from '../../domain/mesh/names.js';
import type {MeshFile, MeshFileCluster} from '../../domain/mesh/schema.js';
import {isKnown} from '../../domain/observed.js';
import {printableLine} from '../../domain/printable.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {RunningCluster} from '../../observe/running-cluster.js';
import type {AdoptionCandidate, ExistingWorkDir, InspectedContext} from './adoption.js';

/**
 * Returns the clusterName that a cluster's proxies use, otherwise that of its istiod; undefined if neither is known. Where both
 * differ, MESH418 is an error.
 */
function runningName({controlPlanes: [{proxyClusterID, clusterID}]}: RunningCluster): string | undefined {
  return proxyClusterID ?? clusterID;
}

/** Returns the name for a context's cluster: as given, as declared, otherwise Istio's or the context's. Throws `USAGE`. */
export function clusterNameOf(
  {context, givenName, observed}: InspectedContext,
  {file, contexts}: Pick<ExistingWorkDir, 'file' | 'contexts'>,
): string {
  const clusters = file?.clusters ?? [];
  const contextOf = (one: MeshFileCluster): string | undefined => contexts[one.name] ?? one.context;
  const id = isKnown(observed) ? runningName(observed.value) : undefined;
  const declared =
    clusters.find((one) => contextOf(one) === context) ??
    clusterOfIstioName(
      clusters.filter((one) => contextOf(one) === undefined),
      id ?? '',
    );
  const name = givenName ?? declared?.name ?? [id, context].find((one) => one !== undefined && isClusterName(one));
  if (name !== undefined) return name;
  const suggestion = suggestName(id ?? context) ?? 'NAME';
  throw new MeshError('USAGE', `no name for the cluster of context "${context}"`, {
    hints: [advice`give one: ${kubectlMesh('certs adopt', [`${suggestion}=${context}`])}`],
  });
}

/** Rejects a cluster whose clusterName is declared differently, or is the name of another cluster, and the reverse. */
export function istioNameConflict(
  {name, context, running}: AdoptionCandidate,
  accepted: readonly AdoptionCandidate[],
  {file}: Pick<ExistingWorkDir, 'file'>,
): ErrorReport | undefined {
  const others = [...(file?.clusters ?? []), ...accepted].filter((one) => one.name !== name);
  const owner = others.find((one) => 'istioName' in one && one.istioName === name);
  if (owner) {
    const taken = `mesh.yaml has ${name} as Istio's name of cluster ${owner.name}`;
    return problem('CONTRADICTION', taken, 'choose another name with NAME=CONTEXT, or correct mesh.yaml');
  }
  const id = runningName(running);
  if (id === undefined) return undefined;
  const what = `istiod in context "${context}" has clusterName ${printableLine(id)}`;
  const declared = file?.clusters?.find((one) => one.name === name)?.istioName;
  if (declared !== undefined && declared !== id) {
    return problem('CONTRADICTION', `${what}, not ${declared}`, `correct istioName of ${name} in mesh.yaml`);
  }
  if (id === name || !others.some((one) => one.name === id)) return undefined;
  return problem('CONTRADICTION', `${what}, which is the name of another cluster, not of ${name}`, 'use CONTEXT alone');
}

/** Istio's names that differ, by cluster, where mesh.yaml can declare them: each of one cluster only. */
export function istioNamesOf(
  adopted: readonly AdoptionCandidate[],
  file: MeshFile | undefined,
): Readonly<Record<string, string>> {
  const clusters = new Map<string, Pick<MeshFileCluster, 'name' | 'istioName'>>(
    [...adopted.map(({name}) => ({name})), ...(file?.clusters ?? [])].map((one) => [one.name, one]),
  );
  const names: Record<string, string> = {};
  for (const {name, running} of adopted) {
    const istioName = runningName(running);
    if (istioName === undefined || istioName === name || !istioNamePattern.test(istioName)) continue;
    if (ownerOfIstioName([...clusters.values()], istioName, name)) continue;
    names[name] = istioName;
    clusters.set(name, {name, istioName});
  }
  return names;
}

/** Returns why a cluster's running name is not declared; undefined if it is. */
export function undeclaredName(
  {name, running}: AdoptionCandidate,
  declared: Readonly<Record<string, string>>,
): string | undefined {
  const id = runningName(running);
  if (id !== undefined && id === (declared[name] ?? name)) return undefined;
  if (id === undefined) return `istiod's clusterName is unknown: if it is not ${name}, declare it as istioName`;
  const what = `istiod has clusterName ${printableLine(id)}, not ${name}`;
  return istioNamePattern.test(id)
    ? `${what}, and so has another cluster: no remote secret can lead to both`
    : `${what}, which mesh.yaml cannot declare`;
}
