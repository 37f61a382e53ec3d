import {hasFeature} from '../istio/features.js';
import {externalFields} from './dialects/external.js';
import {documentName, multiRootPath, xdsAgentPath} from './dialects/shared.js';
import type {DocumentInput} from './dialects/dialect.js';

/** A field of install.yaml that this program decides: values and overlays may repeat it, never change it. */
export interface OwnedField {
  /** Where it stands in the document. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where people set it instead, for the message. */
  readonly setBy: string;
}

/**
 * Everything owned for one cluster, by every path istioctl takes it from: `spec.unvalidatedValues` is merged over
 * `spec.values` (istio/istio operator/pkg/render/manifest.go), and `spec.values.revision` is what `spec.revision` becomes.
 */
export function ownedFields(input: DocumentInput): readonly OwnedField[] {
  const {clusterName, network, meshID, trustDomain, namespace, profile, hub, tag, revision, version} = input;
  const inMesh = (field: string): string => `mesh.yaml ${field}`;
  const both = (path: readonly string[]): readonly (readonly string[])[] => [
    ['spec', 'values', ...path],
    ['spec', 'unvalidatedValues', ...path],
  ];
  const own = (value: unknown, setBy: string, ...paths: readonly (readonly string[])[]): readonly OwnedField[] =>
    value === undefined ? [] : paths.map((path) => ({path, value, setBy}));
  const rotation = (
    path: readonly string[],
    feature: 'multiRootMesh' | 'proxyConfigXdsAgent',
  ): readonly OwnedField[] =>
    input.rotationReady && hasFeature(version, feature)
      ? own('true', inMesh('trust.rotationReady'), ['spec', ...path])
      : [];
  return [
    ...own(documentName, 'kubectl mesh, the same for every cluster', ['metadata', 'name']),
    ...own(clusterName, inMesh(`clusters: ${clusterName}, name`), ...both(['global', 'multiCluster', 'clusterName'])),
    ...own(network, inMesh(`clusters: ${clusterName}, network`), ...both(['global', 'network'])),
    ...own(meshID, inMesh('meshID'), ...both(['global', 'meshID'])),
    ...own(
      trustDomain,
      inMesh('trustDomain'),
      ['spec', 'meshConfig', 'trustDomain'],
      ...both(['global', 'trustDomain']),
      ...both(['meshConfig', 'trustDomain']),
    ),
    ...own(
      namespace,
      inMesh('istio.namespace'),
      ['metadata', 'namespace'],
      ['spec', 'namespace'],
      ...both(['global', 'istioNamespace']),
    ),
    ...own(profile, inMesh('istio.profile'), ['spec', 'profile'], ...both(['profile'])),
    ...own(hub, inMesh('istio.hub'), ['spec', 'hub'], ...both(['global', 'hub'])),
    ...own(tag, inMesh('istio.tag'), ['spec', 'tag'], ...both(['global', 'tag'])),
    ...own(revision ?? '', inMesh('istio.revisions'), ['spec', 'revision'], ...both(['revision'])),
    ...externalFields(input.external).flatMap(({path, value}) => own(value, inMesh('trust.signer'), ['spec', ...path])),
    ...rotation(multiRootPath, 'multiRootMesh'),
    ...rotation(xdsAgentPath, 'proxyConfigXdsAgent'),
  ];
}
