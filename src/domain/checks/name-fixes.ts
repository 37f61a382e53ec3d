/** Fixes for cluster names that differ. None of them renames a running cluster: its proxies would be rejected. */
import {istiodVariable, proxyVariable} from '../istio/cluster-id.js';
import {ownerOfIstioName} from '../mesh/istio-name.js';
import {istioNamePattern} from '../mesh/names.js';
import {fixWith, inspectWith, kubectlMesh, sequence, type Suggestion, words} from '../suggest/suggestion.js';
import type {ClusterSubject} from './check.js';
import {editMeshYaml} from './fixes.js';

type InMesh = Pick<ClusterSubject, 'cluster' | 'mesh'>;

/** Declares the name that a cluster's istiod and proxies use; shows the proxies' names if mesh.yaml cannot have it. */
export function declareNameFix(subject: InMesh, running: string): Suggestion {
  const {cluster, mesh} = subject;
  const isDeclarable = istioNamePattern.test(running) && !ownerOfIstioName(mesh.clusters, running, cluster.name);
  if (!isDeclarable) return showNamesFix(subject);
  // init never changes a declared value.
  if (cluster.istioName !== undefined) return editMeshYaml();
  return kubectlMesh('init', words`${cluster.name} --istio-name ${cluster.name}=${running}`);
}

/** Makes an istiod use the name of its proxies, all of which it rejects until then. */
export function restoreIstiodFix({cluster, mesh}: InMesh, istiod: string, proxies: string): Suggestion {
  return setEnvironment({cluster, mesh}, istiod, istiodVariable, proxies);
}

/** Makes a gateway use istiod's name. */
export function restoreGatewayFix({cluster, mesh}: InMesh, gateway: string, istiod: string): Suggestion {
  return setEnvironment({cluster, mesh}, gateway, proxyVariable, istiod);
}

function setEnvironment({cluster, mesh}: InMesh, deployment: string, variable: string, value: string): Suggestion {
  const {namespace} = mesh.istio;
  return fixWith.kubectl(cluster, words`-n ${namespace} set env deployment/${deployment} ${variable}=${value}`);
}

/** Shows the names of all istiods and proxies: only the user knows which of them is right. */
export function showNamesFix({cluster}: Pick<InMesh, 'cluster'>): Suggestion {
  const names = [istiodVariable, proxyVariable].map(
    (variable) => `{.spec['initContainers','containers'][*].env[?(@.name=="${variable}")].value}`,
  );
  const line = `{range .items[*]}{.metadata.namespace}/{.metadata.name} ${names.join('')}{"\\n"}{end}`;
  return inspectWith.kubectl(cluster, words`get pods --all-namespaces -o ${`jsonpath=${line}`}`);
}

/** Declares a name, then makes an istiod use it. */
export function declareAndRestoreFix(subject: InMesh, istiod: string, proxies: string): Suggestion {
  const declare = declareNameFix(subject, proxies);
  return declare.purpose === 'fix' ? sequence(declare, restoreIstiodFix(subject, istiod, proxies)) : declare;
}
