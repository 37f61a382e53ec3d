import {hasFeature, multiRootVariable, xdsAgentVariable} from '../../istio/features.js';
import {mergeTrees, treeOf, type Tree} from '../tree.js';
import type {DocumentInput} from './dialect.js';
import {externalTree} from './external.js';

/**
 * Always the same metadata.name: istioctl prunes what carries its owner's labels and is not in the new document, and a
 * document without a name owns every installation of its revision, an east-west gateway too (istio/istio
 * operator/pkg/install/install.go; istio/istio#29633).
 */
export const documentName = 'kubectl-mesh';

/** What every dialect says, with the fields of its own under `global`. */
export function operatorDocument(input: DocumentInput, global: Tree): Tree {
  const {namespace, profile, hub, tag, revision} = input;
  const spec: Tree = {
    profile,
    ...(hub === undefined ? {} : {hub}),
    ...(tag === undefined ? {} : {tag}),
    ...(revision === undefined ? {} : {revision}),
    ...inAnotherNamespace(namespace),
  };
  return {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: {name: documentName, namespace},
    spec: [
      meshIdentity(input),
      {values: {global}},
      trustDomain(input),
      rotationReadiness(input),
      externalTree(input),
    ].reduce<Tree>(mergeTrees, spec),
  };
}

/** Elsewhere than in istio-system both places have to say so (istio/istio operator/pkg/apis/types.go, Namespace). */
function inAnotherNamespace(namespace: string): Tree {
  return namespace === 'istio-system' ? {} : {namespace, values: {global: {istioNamespace: namespace}}};
}

function meshIdentity({meshID, clusterName, network}: DocumentInput): Tree {
  return {values: {global: {meshID, multiCluster: {clusterName}, network}}};
}

/** Where a version takes the trust domain from. */
export function trustDomainPath(input: Pick<DocumentInput, 'version'>): readonly string[] {
  return hasFeature(input.version, 'globalTrustDomain')
    ? ['values', 'global', 'trustDomain']
    : ['meshConfig', 'trustDomain'];
}

function trustDomain(input: DocumentInput): Tree {
  return treeOf(trustDomainPath(input), input.trustDomain);
}

/** istiod that takes a second root while it runs. */
export const multiRootPath = ['values', 'pilot', 'env', multiRootVariable] as const;
/** Proxies that take a pushed trust bundle. */
export const xdsAgentPath = ['meshConfig', 'defaultConfig', 'proxyMetadata', xdsAgentVariable] as const;

/** What lets a root be replaced without restarts later: both settings are read at start only. */
function rotationReadiness({version, rotationReady}: DocumentInput): Tree {
  if (!rotationReady) return {};
  return mergeTrees(
    hasFeature(version, 'multiRootMesh') ? treeOf(multiRootPath, 'true') : {},
    hasFeature(version, 'proxyConfigXdsAgent') ? treeOf(xdsAgentPath, 'true') : {},
  );
}
