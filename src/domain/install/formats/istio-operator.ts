/** IstioOperator, the document of istioctl: which field of it says what of the install model. */
import {hasFeature} from '../../istio/features.js';
import type {InstallModel} from '../model.js';
import {mergeTrees, treeOf, type Tree} from '../../tree.js';
import type {OwnedField} from '../overlays.js';

/**
 * Always the same metadata.name: istioctl prunes what carries its owner's labels and is not in the new document, and a
 * document without a name owns every installation of its revision, an east-west gateway too (istio/istio
 * operator/pkg/install/install.go; istio/istio#29633).
 */
export const documentName = 'kubectl-mesh';

/** How an install model is written as a document for a range of Istio versions. */
export interface Format {
  /** The first and the last minor: `1.8 to 1.23`. Named in results and at the top of install.yaml. */
  readonly id: string;
  /** The first minor. */
  readonly from: string;
  /** Why this range has a form of its own. */
  readonly why: string;
  /** The document, without overlays. */
  document(model: InstallModel): Tree;
  /** Its fields that overlays must not change, by every path from which the installer takes them. */
  owned(model: InstallModel): readonly OwnedField[];
}

type Path = readonly string[];

/** One statement of the document. */
interface Field {
  readonly value: unknown;
  /** Where it is written. */
  readonly written: readonly Path[];
  /** Where else istioctl takes it from. */
  readonly alsoRead?: readonly Path[];
  /** Where people set it. Absent: overlays may change it. */
  readonly setBy?: string;
}

/** A format that is an IstioOperator document, with fields of its own under `spec.values.global`. */
export function istioOperator(
  range: Pick<Format, 'id' | 'from' | 'why'>,
  global: (model: InstallModel) => Tree = () => ({}),
): Format {
  const fields = (model: InstallModel): readonly Field[] => fieldsOf(model, global(model));
  return {
    ...range,
    document: (model) =>
      fields(model)
        .flatMap(({value, written}) => written.map((path) => treeOf(path, value)))
        .reduce<Tree>(mergeTrees, {apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator'}),
    // The cluster's own fields first: they are named where an overlay removes everything above several fields.
    owned: (model) =>
      fields(model)
        .flatMap(({value, written, alsoRead = [], setBy}) =>
          setBy === undefined ? [] : [...written, ...alsoRead].map((path) => ({path, value, setBy})),
        )
        .sort((left, right) => Number(isOfCluster(right)) - Number(isOfCluster(left))),
  };
}

function isOfCluster({setBy}: {readonly setBy: string}): boolean {
  return setBy.startsWith('mesh.yaml clusters: ');
}

const spec = (...path: Path): Path => ['spec', ...path];
const values = (...path: Path): Path => spec('values', ...path);
/** `spec.unvalidatedValues` is merged over `spec.values` (istio/istio operator/pkg/render/manifest.go). */
const eitherValues = (...path: Path): readonly Path[] => [values(...path), spec('unvalidatedValues', ...path)];

/** All that is said, in the order in which it stands in the document. */
function fieldsOf(model: InstallModel, global: Tree): readonly Field[] {
  const {clusterName, network, meshID, namespace, profile, hub, tag, revision} = model;
  const elsewhere = [spec('namespace'), values('global', 'istioNamespace')];
  return [
    {value: documentName, written: [['metadata', 'name']], setBy: 'kubectl mesh, the same for every cluster'},
    {value: namespace, written: [['metadata', 'namespace']], setBy: 'mesh.yaml istio.namespace'},
    {value: profile, written: [spec('profile')], alsoRead: eitherValues('profile'), setBy: 'mesh.yaml istio.profile'},
    ...optional(hub, {written: [spec('hub')], alsoRead: eitherValues('global', 'hub'), setBy: 'mesh.yaml istio.hub'}),
    ...optional(tag, {written: [spec('tag')], alsoRead: eitherValues('global', 'tag'), setBy: 'mesh.yaml istio.tag'}),
    {
      // `spec.values.revision` is what `spec.revision` becomes; the default revision is not written.
      value: revision ?? '',
      written: revision === undefined ? [] : [spec('revision')],
      alsoRead: [spec('revision'), ...eitherValues('revision')],
      setBy: 'mesh.yaml istio.revisions',
    },
    {
      // Elsewhere than in istio-system both places have to say so (istio/istio operator/pkg/apis/types.go, Namespace).
      value: namespace,
      written: namespace === 'istio-system' ? [] : elsewhere,
      alsoRead: [...elsewhere, ...eitherValues('global', 'istioNamespace')],
      setBy: 'mesh.yaml istio.namespace',
    },
    globalField('meshID', meshID, 'mesh.yaml meshID'),
    globalField('multiCluster.clusterName', clusterName, `mesh.yaml clusters: ${clusterName}, name`),
    globalField('network', network, `mesh.yaml clusters: ${clusterName}, network`),
    {value: {global}, written: [values()]},
    trustDomain(model),
    ...model.istiod.map(({name, value, setBy}) => ({value, setBy, written: [values('pilot', 'env', name)]})),
    ...model.proxies.map(({name, value, setBy}) => ({
      value,
      setBy,
      written: [spec('meshConfig', 'defaultConfig', 'proxyMetadata', name)],
    })),
    ...externalIssuer(model),
  ];
}

function optional(value: unknown, field: Omit<Field, 'value'>): readonly Field[] {
  return value === undefined ? [] : [{...field, value}];
}

function globalField(name: string, value: string, setBy: string): Field {
  const path = ['global', ...name.split('.')];
  return {value, setBy, written: [values(...path)], alsoRead: eitherValues(...path)};
}

/** Moved from the values to meshConfig with 1.10. */
function trustDomain({version, trustDomain: value}: InstallModel): Field {
  const inMeshConfig = spec('meshConfig', 'trustDomain');
  const inValues = eitherValues('global', 'trustDomain');
  return {
    value,
    written: [hasFeature(version, 'globalTrustDomain') ? values('global', 'trustDomain') : inMeshConfig],
    alsoRead: [inMeshConfig, ...inValues, ...eitherValues('meshConfig', 'trustDomain')],
    setBy: 'mesh.yaml trustDomain',
  };
}

/** What is said, beside the environments, where somebody else issues workload certificates ({@link InstallModel.external}). */
function externalIssuer({external}: InstallModel): readonly Field[] {
  const {caAddress, signer} = external ?? {};
  const setBy = 'mesh.yaml trust.signer';
  return [
    ...optional(caAddress, {written: [values('global', 'caAddress')], setBy}),
    ...optional(signer && `k8s.io/${signer.name}`, {written: [values('global', 'pilotCertProvider')], setBy}),
    // istiod's right to approve requests for this signer.
    ...optional(signer && [signer.name], {written: [values('global', 'certSigners')]}),
    ...optional(signer && [{pem: signer.roots, certSigners: [signer.name]}], {
      written: [spec('meshConfig', 'caCertificates')],
    }),
  ];
}
