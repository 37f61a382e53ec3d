/** IstioOperator, istioctl's document: maps the install model to the document's fields. */
import {defined} from '../../defined.js';
import {isIstiodAddress, isSameAddress, istioCaProvider} from '../../istio/ca-address.js';
import {istiodVariable, proxyVariable} from '../../istio/cluster-id.js';
import {parseBool} from '../../istio/environment.js';
import {hasFeature} from '../../istio/features.js';
import type {EnvironmentVariable, InstallModel} from '../model.js';
import {mergeTrees, treeOf, type Tree} from '../../tree.js';
import type {OwnedField} from '../overlays.js';
import {eastWestFields} from './east-west-fields.js';
import {eitherValues, spec, values, type Field, type Path} from './field.js';

/**
 * The document's metadata.name, which never changes: istioctl prunes objects with the document's owner labels that the new
 * document does not contain, and a document without a name owns every installation of its revision, including an east-west
 * gateway (istio/istio operator/pkg/install/install.go; istio/istio#29633).
 */
export const documentName = 'kubectl-mesh';

/** Writes an install model as a document for a range of Istio versions. */
export interface Format {
  /** The first and last minor version: `1.8 to 1.23`. Shown in results and at the top of install.yaml. */
  readonly id: string;
  /** The first minor version. */
  readonly from: string;
  /** Why this range needs a separate schema version. */
  readonly why: string;
  /** Returns the document without overlays. */
  document(model: InstallModel): Tree;
  /** Returns the fields that overlays must not change, with every path from which the installer reads them. */
  owned(model: InstallModel): readonly OwnedField[];
}

/** Creates a format that writes an IstioOperator document, with additional fields under `spec.values.global`. */
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
        .reduce<Tree>((merged, tree) => mergeTrees(merged, tree), {
          apiVersion: 'install.istio.io/v1alpha1',
          kind: 'IstioOperator',
        }),
    // The cluster's own fields come first, so that the error names them if an overlay removes a parent of several fields.
    owned: (model) =>
      fields(model)
        .flatMap(({value, written, alsoRead = [], setBy, isEquivalent}) =>
          setBy === undefined
            ? []
            : [...written, ...alsoRead].map((path) => defined<OwnedField>({path, value, setBy, isEquivalent})),
        )
        .sort((left, right) => Number(isOfCluster(right)) - Number(isOfCluster(left))),
  };
}

function isOfCluster({setBy}: {readonly setBy: string}): boolean {
  return setBy.startsWith('mesh.yaml clusters: ');
}

/** Returns all fields in document order. */
function fieldsOf(model: InstallModel, global: Tree): readonly Field[] {
  const {cluster, clusterName, network, meshID, namespace, profile, hub, tag, revision} = model;
  const nameField = clusterName === cluster ? 'name' : 'istioName';
  const namespacePaths = [spec('namespace'), values('global', 'istioNamespace')];
  return [
    {value: documentName, written: [['metadata', 'name']], setBy: 'kubectl mesh: fixed'},
    {value: namespace, written: [['metadata', 'namespace']], setBy: 'mesh.yaml istio.namespace'},
    {value: profile, written: [spec('profile')], alsoRead: eitherValues('profile'), setBy: 'mesh.yaml istio.profile'},
    ...optional(hub, {written: [spec('hub')], alsoRead: eitherValues('global', 'hub'), setBy: 'mesh.yaml istio.hub'}),
    ...optional(tag, {written: [spec('tag')], alsoRead: eitherValues('global', 'tag'), setBy: 'mesh.yaml istio.tag'}),
    {
      // istioctl copies `spec.revision` to `spec.values.revision`. The default revision is not written.
      value: revision ?? '',
      written: revision === undefined ? [] : [spec('revision')],
      alsoRead: [spec('revision'), ...eitherValues('revision')],
      setBy: 'mesh.yaml istio.revisions',
    },
    {
      // A namespace other than istio-system must be set at both paths (istio/istio operator/pkg/apis/types.go, Namespace).
      value: namespace,
      written: namespace === 'istio-system' ? [] : namespacePaths,
      alsoRead: [...namespacePaths, ...eitherValues('global', 'istioNamespace')],
      setBy: 'mesh.yaml istio.namespace',
    },
    globalField('meshID', meshID, 'mesh.yaml meshID'),
    ...clusterNameFields(clusterName, `mesh.yaml clusters: ${cluster}, ${nameField}`),
    globalField('network', network, `mesh.yaml clusters: ${cluster}, network`),
    {value: {global}, written: [values()]},
    trustDomain(model),
    ...variables(model.istiod, (name) => values('pilot', 'env', name)),
    ...variables(model.proxies, (name) => spec('meshConfig', 'defaultConfig', 'proxyMetadata', name)),
    ...caOfProxies(model),
    ...externalIssuer(model),
    ...eastWestFields(model),
  ];
}

function variables(list: readonly EnvironmentVariable[], pathOf: (name: string) => Path): readonly Field[] {
  return list.map(({name, value, setBy}) => defined<Field>({value, setBy, written: [pathOf(name)]}));
}

function optional(value: unknown, field: Omit<Field, 'value'>): readonly Field[] {
  return value === undefined ? [] : [{...field, value}];
}

function globalField(name: string, value: string, setBy: string): Field {
  const path = ['global', ...name.split('.')];
  return {value, setBy, written: [values(...path)], alsoRead: eitherValues(...path)};
}

/**
 * Returns the cluster's name, and the variables by which an overlay would give istiod or the proxies another one: istiod
 * rejects proxies with a name other than its own.
 */
function clusterNameFields(value: string, setBy: string): readonly Field[] {
  const variables = [...istiodPaths(istiodVariable), ...metadataPaths(proxyVariable)];
  return [globalField('multiCluster.clusterName', value, setBy), {value, written: [], alsoRead: variables, setBy}];
}

/** Istio 1.10 moved the trust domain from the values to meshConfig. */
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

/**
 * The CA of the proxies: its address and protocol, which they read from the values or from their metadata (istio/istio
 * manifests/charts/istio-control/istio-discovery/files/injection-template.yaml), and the variables that make istiod leave
 * signing to another CA (MESH415). Only the address of istio-csr is written here; SPIRE is reached through a socket.
 */
function caOfProxies({external, isSpire, namespace, istiod}: InstallModel): readonly Field[] {
  if (isSpire) return [];
  const setBy = 'mesh.yaml trust.signer';
  const {caAddress: address} = external ?? {};
  const isAddress = (value: string): boolean =>
    address === undefined ? isIstiodAddress(value, namespace) : isSameAddress(value, address);
  const inValues = values('global', 'caAddress');
  const variables = [
    {name: 'ENABLE_CA_SERVER', value: 'true', isEquivalent: (value: unknown) => parseBool(String(value), true)},
    {name: 'EXTERNAL_CA', value: ''},
  ].filter(({name}) => !istiod.some((one) => one.name === name));
  return [
    {
      value: address ?? '',
      written: address === undefined ? [] : [inValues],
      alsoRead: [...eitherValues('global', 'caAddress'), ...metadataPaths('CA_ADDR')],
      setBy,
      isEquivalent: (value) => typeof value === 'string' && isAddress(value),
    },
    {
      value: '',
      written: [],
      alsoRead: [...eitherValues('global', 'caName'), ...metadataPaths('CA_PROVIDER')],
      setBy,
      isEquivalent: (value) => value === istioCaProvider,
    },
    ...variables.map(({name, ...field}): Field => {
      return {...field, written: [], alsoRead: istiodPaths(name), setBy};
    }),
  ];
}

/** The paths from which istioctl reads an environment variable of istiod; the last is written as a list of names and values. */
function istiodPaths(name: string): readonly Path[] {
  return [...eitherValues('pilot', 'env', name), spec('components', 'pilot', 'k8s', 'env', name)];
}

/** The paths from which istioctl reads an environment variable of the proxies. */
function metadataPaths(name: string): readonly Path[] {
  const path = ['defaultConfig', 'proxyMetadata', name];
  return [spec('meshConfig', ...path), ...eitherValues('meshConfig', ...path)];
}

/** Returns the fields, besides environment variables, for an external issuer ({@link InstallModel.external}). */
function externalIssuer({external}: InstallModel): readonly Field[] {
  const {signer} = external ?? {};
  const setBy = 'mesh.yaml trust.signer';
  return [
    ...optional(signer && `k8s.io/${signer.name}`, {written: [values('global', 'pilotCertProvider')], setBy}),
    // Allows istiod to approve requests for this signer.
    ...optional(signer && [signer.name], {written: [values('global', 'certSigners')]}),
    ...optional(signer && [{pem: signer.roots, certSigners: [signer.name]}], {
      written: [spec('meshConfig', 'caCertificates')],
    }),
  ];
}
