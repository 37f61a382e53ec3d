/**
 * What each Istio version can do, as data with its source. Rendering, pushing and verifying all ask here, so that a fact
 * about a version stands in one place. `VERSION:path` names a file of istio/istio at that release.
 */
import type {IstioVersion} from './version.js';
import {compareMinor, formatMinor, parseVersion} from './version.js';

/** The oldest and the newest minor that this table was made from. */
export const oldestKnown: IstioVersion = {major: 1, minor: 6};
export const newestKnown: IstioVersion = {major: 1, minor: 31};

/** A version to take facts from, and what a person should know about that choice. */
export interface KnownVersion {
  /** As it was said: `1.30.3`, `unknown`. */
  readonly said: string;
  /** Whose facts are used. */
  readonly version: IstioVersion;
  /** `newer`: than the newest known; `older`: than the oldest known; `unsaid`: a build that names no version. */
  readonly status: 'known' | 'newer' | 'older' | 'unsaid';
  /** One sentence, unless the status is `known`. */
  readonly note?: string;
}

/** Chooses the version whose facts are used: a newer one and one that names no version count as the newest known. */
export function knowVersion(said: string): KnownVersion {
  const parsed = parseVersion(said);
  const newest = formatMinor(newestKnown);
  if (!parsed) {
    const note = `the Istio version "${said}" names no release: treated as ${newest}, the newest known here`;
    return {said, version: newestKnown, status: 'unsaid', note};
  }
  if (compareMinor(parsed, newestKnown) > 0) {
    const note = `Istio ${said} is newer than ${newest}, the newest known here: treated as ${newest}`;
    return {said, version: newestKnown, status: 'newer', note};
  }
  if (compareMinor(parsed, oldestKnown) < 0) {
    const oldest = formatMinor(oldestKnown);
    const note = `Istio ${said} is older than ${oldest}, the oldest known here: treated as ${oldest}`;
    return {said, version: oldestKnown, status: 'older', note};
  }
  return {said, version: parsed, status: 'known'};
}

/** A fact that holds from one minor on, until the next entry. */
export interface Since<T> {
  /** The first minor, `1.10`. */
  readonly from: string;
  readonly value: T;
  readonly source: string;
}

/** The entry that holds for a version: the last one that starts at or before its minor. Entries are in order. */
export function factFor<Entry extends {readonly from: string}>(
  entries: readonly [Entry, ...Entry[]],
  version: IstioVersion,
): Entry {
  const [first] = entries;
  return entries.reduce((found, entry) => (startsBy(entry.from, version) ? entry : found), first);
}

function startsBy(from: string, version: IstioVersion): boolean {
  const start = parseVersion(from);
  return start !== undefined && compareMinor(start, version) <= 0;
}

/** An environment variable of istiod that decides, and what holds when it is not set. */
export interface Switch {
  readonly env: string;
  readonly unset: boolean;
}

/** What a running istiod that was started with cacerts takes over without a restart. */
export interface ReloadRule {
  /** Another cluster CA under the same root. */
  readonly clusterCa: 'never' | 'always' | Switch;
  /**
   * Another root bundle, which needs `ISTIO_MULTIROOT_MESH=true` wherever it is not `never`. `byte-substring`: the bytes
   * of one bundle must contain the other's; `certificate-subset`: one set of certificates must contain the other. A
   * refused root change refuses the whole change, the new cluster CA included.
   */
  readonly root: 'never' | 'byte-substring' | 'certificate-subset';
}

/** How istiod reloads cacerts. A self-signed istiod watches nothing: it needs a restart in every version. */
export const reloadRules: readonly [Since<ReloadRule>, ...Since<ReloadRule>[]] = [
  {
    from: '1.6',
    value: {clusterCa: 'never', root: 'never'},
    source: '1.11.8:pilot/pkg/bootstrap/istio_ca.go has no watcher',
  },
  {
    from: '1.12',
    value: {clusterCa: 'never', root: 'never'},
    source:
      '1.12.9:pilot/pkg/bootstrap/istio_ca.go filters on file names, which the symlink swap of a Secret volume does not touch',
  },
  {
    from: '1.14',
    value: {clusterCa: {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: false}, root: 'never'},
    source: '1.17.8:pilot/pkg/bootstrap/istio_ca.go, pilot/pkg/features/pilot.go',
  },
  {
    from: '1.18',
    value: {clusterCa: {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: true}, root: 'never'},
    source: '1.18.0:pilot/pkg/features/pilot.go',
  },
  {
    from: '1.19',
    value: {clusterCa: 'always', root: 'never'},
    source: 'releasenotes/notes/drop-reload-plugin-certs.yaml, 1.19.10:pilot/pkg/bootstrap/istio_ca.go',
  },
  {
    from: '1.20',
    value: {clusterCa: 'always', root: 'byte-substring'},
    source: '1.20.0 and 1.29.6:pilot/pkg/bootstrap/istio_ca.go',
  },
  {
    from: '1.30',
    value: {clusterCa: 'always', root: 'certificate-subset'},
    source: '1.30.0:pilot/pkg/bootstrap/istio_ca.go',
  },
];

/** The reload rule of a version. */
export function reloadRule(version: IstioVersion): ReloadRule {
  return factFor(reloadRules, version).value;
}

/** The environment variable that root reload and trust bundle pushes depend on, wherever a version has it. */
export const multiRootVariable = 'ISTIO_MULTIROOT_MESH';
/** The proxy metadata that makes a proxy take pushed trust bundles. */
export const xdsAgentVariable = 'PROXY_CONFIG_XDS_AGENT';

interface Span {
  /** First minor that has it. */
  readonly from: string;
  /** Last minor that has it; absent: the newest known has it too. */
  readonly to?: string;
  readonly source: string;
}

/** What some versions have and others have not. */
export const features = {
  /** istiod knows ISTIO_MULTIROOT_MESH (default false everywhere): several roots, bundles pushed to proxies. */
  multiRootMesh: {from: '1.10', source: '1.10.6:pilot/pkg/features/pilot.go'},
  /** Proxies with PROXY_CONFIG_XDS_AGENT take trust bundles by xDS instead of at their next renewal. */
  proxyConfigXdsAgent: {from: '1.10', source: 'pkg/istio-agent/xds_proxy.go, pilot/cmd/pilot-agent/options/options.go'},
  /** `values.global.meshExpansion` exposes istiod by the ingress gateway; 1.9 and later refuse the field. */
  meshExpansion: {
    from: '1.6',
    to: '1.8',
    source: '1.8.6:manifests/charts/gateways/istio-ingress/templates/meshexpansion.yaml, 1.9.9:values_types.proto',
  },
  /** Networks come from the label topology.istio.io/network; before, `meshNetworks` has to name every cluster. */
  networkLabel: {from: '1.8', source: '1.8.6:pilot/pkg/serviceregistry/kube/controller/network.go'},
  /** `values.global.trustDomain` is accepted; from 1.10 on only `meshConfig.trustDomain`. */
  globalTrustDomain: {
    from: '1.6',
    to: '1.9',
    source: '1.9.9 and 1.10.6:operator/pkg/apis/istio/v1alpha1/values_types.proto',
  },
  /** istiod reads the kubernetes.io/tls layout of cacerts (tls.crt, tls.key, ca.crt); 1.14 from 1.14.2 on. */
  tlsCacerts: {from: '1.14', source: '1.14.2:security/pkg/pki/ca/ca.go'},
  /** kube-system gets ConfigMap istio-ca-root-cert too. */
  rootCertInKubeSystem: {from: '1.21', source: '1.21.0:pkg/kube/inject/initializer.go'},
} as const satisfies Record<string, Span>;

/** A key of {@link features}. */
export type Feature = keyof typeof features;

/** Whether a version has a feature. */
export function hasFeature(version: IstioVersion, feature: Feature): boolean {
  const span: Span = features[feature];
  if (!startsBy(span.from, version)) return false;
  const end = span.to === undefined ? undefined : parseVersion(span.to);
  return end === undefined || compareMinor(version, end) <= 0;
}

/** How istioctl applies an IstioOperator document. */
export interface ApplyCommand {
  readonly words: readonly string[];
  /** Flags besides `-f`, `-y` and `--readiness-timeout`, which all versions have. */
  readonly flags: readonly string[];
}

/** The subcommand that installs: 1.7 removed `manifest apply`, and only 1.6 has to be told to wait. */
export const applyCommands: readonly [Since<ApplyCommand>, ...Since<ApplyCommand>[]] = [
  {
    from: '1.6',
    value: {words: ['manifest', 'apply'], flags: ['--wait']},
    source: '1.6.14:operator/cmd/mesh/manifest-apply.go',
  },
  {from: '1.7', value: {words: ['install'], flags: []}, source: '1.7.8:operator/cmd/mesh/install.go'},
];

/** How istioctl of a version applies a document. */
export function applyCommand(version: IstioVersion): ApplyCommand {
  return factFor(applyCommands, version).value;
}

const k8sVersionFile = 'istioctl/pkg/install/k8sversion/version.go at each release';

/** The oldest minor of Kubernetes 1 that a version supports; istioctl warns below it. */
export const kubernetesMinima: readonly [Since<number>, ...Since<number>[]] = [
  {from: '1.6', value: 16, source: k8sVersionFile},
  {from: '1.9', value: 17, source: k8sVersionFile},
  {from: '1.13', value: 19, source: k8sVersionFile},
  {from: '1.16', value: 22, source: k8sVersionFile},
  {from: '1.17', value: 23, source: k8sVersionFile},
  {from: '1.18', value: 24, source: k8sVersionFile},
  {from: '1.19', value: 25, source: k8sVersionFile},
  {from: '1.21', value: 26, source: k8sVersionFile},
  {from: '1.24', value: 28, source: k8sVersionFile},
  {from: '1.25', value: 29, source: k8sVersionFile},
  {from: '1.28', value: 30, source: k8sVersionFile},
  {from: '1.30', value: 32, source: k8sVersionFile},
];

/**
 * The newest minor of Kubernetes 1 that a version can be installed on at all, where there is such a limit: 1.6 to 1.9
 * apply admissionregistration.k8s.io/v1beta1 webhooks, which Kubernetes 1.22 removed (manifests/charts at each release).
 */
export const kubernetesMaxima: readonly [Since<number | undefined>, ...Since<number | undefined>[]] = [
  {from: '1.6', value: 21, source: '1.9.9:manifests/charts/istio-control/istio-discovery/templates'},
  {from: '1.10', value: undefined, source: '1.10.6:manifests/charts/istio-control/istio-discovery/templates'},
];

/** Kubernetes minors (of 1) that a version runs on. */
export function kubernetesRange(version: IstioVersion): {readonly min: number; readonly max?: number} {
  const max = factFor(kubernetesMaxima, version).value;
  return {min: factFor(kubernetesMinima, version).value, ...(max === undefined ? {} : {max})};
}
