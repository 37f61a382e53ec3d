/** Running istiods, and whether they load a change of cacerts without a restart. */
import type {DeploymentObject} from '../kube/objects.js';
import {caSourceOf, type CaSource} from '../istio/ca-source.js';
import {istiodContainer} from '../istio/image.js';
import {parseBool} from '../istio/environment.js';
import {defaultBundleName} from '../istio/names.js';
import {caCrlVariable, hasFeature, multiRootVariable} from '../istio/features.js';
import {reloadRule} from '../istio/reload.js';
import {resolveRunning} from '../istio/running-version.js';
import type {KnownVersion} from '../istio/versions.js';
import type {IstioVersion} from '../istio/version.js';
import {isAmong, isSubsetEitherWay, missingRoots, readableRoots} from '../ca/trust-store.js';
import {type CacertsSecret, keptLists} from './cacerts.js';

/** One istiod Deployment. */
export interface IstiodObservation {
  readonly name: string;
  readonly version: KnownVersion;
  /** The container's environment variables with literal values. */
  readonly env: Readonly<Record<string, string>>;
  readonly readyPods: number;
  readonly caSource: CaSource;
}

/** Reads an istiod Deployment. */
export function readIstiod(deployment: DeploymentObject): IstiodObservation {
  const {readyReplicas = 0} = deployment.status ?? {};
  const {env = []} = istiodContainer(deployment.spec.template.spec.containers) ?? {};
  return {
    name: deployment.metadata.name,
    version: resolveRunning(deployment),
    env: Object.fromEntries(env.flatMap(({name, value}) => (value === undefined ? [] : [[name, value] as const]))),
    readyPods: readyReplicas,
    caSource: caSourceOf(deployment).source,
  };
}

/**
 * The name of the ConfigMap to which istiods write the bundle that they have loaded; undefined if they publish it in a
 * ClusterTrustBundle (istio/istio pilot/pkg/features/pilot.go). If their names differ, that of the first.
 */
export function publishedBundleName([first]: readonly IstiodObservation[]): string | undefined {
  if (!first) return defaultBundleName;
  const {PILOT_CA_CERT_CONFIGMAP: name = '', ENABLE_CLUSTER_TRUST_BUNDLE_API: inTrustBundle} = first.env;
  if (parseBool(inTrustBundle, false)) return undefined;
  return name === '' ? defaultBundleName : name;
}

/**
 * Reports whether an istiod reads revocation lists in the *.pem layout of cacerts (istio/istio
 * pilot/pkg/bootstrap/istio_ca.go, detectSigningCABundleAndCRL).
 */
export function readsCrl({version, env}: VersionAndEnv): boolean {
  return hasFeature(version, 'caCrl') && parseBool(env[caCrlVariable], true);
}

/** The version of an istiod and its environment. */
interface VersionAndEnv {
  readonly version: IstioVersion;
  readonly env: Readonly<Record<string, string>>;
}

/** Reports whether a running istiod applies the revocation lists that it has loaded until it restarts, even if they are removed. */
export function keepsRemovedLists(istiod: VersionAndEnv): boolean {
  return readsCrl(istiod) && !hasFeature(istiod.version, 'crlCleared');
}

/** A change of cacerts for one istiod. */
export interface CaChange {
  /**
   * The exact bytes of the bundles that istiod may have loaded: those in ConfigMap istio-ca-root-cert and Secret cacerts.
   * They differ for half a minute after a restart, until the previous leader's lease expires and the ConfigMap is written
   * (istio/istio pilot/pkg/leaderelection/leaderelection.go), so neither alone is reliable.
   */
  readonly liveBundles: readonly string[];
  readonly newBundle: string;
  /** Whether istiod runs with a self-signed CA. */
  readonly selfSigned: boolean;
  /** Whether revocation lists that istiod may have loaded are removed. */
  readonly removesLists?: boolean;
}

/**
 * Returns why a running istiod does not load the change without a restart; undefined if it does. Source of the rules:
 * istio/istio pilot/pkg/bootstrap/istio_ca.go at each version (`reloadRules`). Any change of bytes is a root change:
 * istiod compares the files before it compares certificates.
 */
export function restartReason(istiod: IstiodObservation, change: CaChange): string | undefined {
  if (istiod.readyPods === 0) return undefined;
  if (change.selfSigned) return 'it runs with a self-signed CA and does not watch the Secret';
  const rule = reloadRule(istiod.version.version);
  const {text} = istiod.version;
  if (rule.clusterCa === 'never') return `istiod ${text} reads its CA only at startup`;
  if (typeof rule.clusterCa === 'object' && !parseBool(istiod.env[rule.clusterCa.env], rule.clusterCa.unset)) {
    return `istiod ${text} reads its CA only at startup unless ${rule.clusterCa.env} is true`;
  }
  if (change.removesLists === true && keepsRemovedLists({version: istiod.version.version, env: istiod.env})) {
    return `istiod ${text} applies revocation lists that it has loaded until it restarts`;
  }
  return change.liveBundles
    .filter((live) => live !== change.newBundle)
    .map((live) => rootReason(istiod, live, change.newBundle))
    .find((reason) => reason !== undefined);
}

/** Returns why a running istiod does not replace one root bundle with another. */
function rootReason(
  {env, version: {text, version}}: IstiodObservation,
  live: string,
  wanted: string,
): string | undefined {
  const rule = reloadRule(version);
  if (rule.root === 'never') return `istiod ${text} cannot load another root bundle while it is running`;
  if (!parseBool(env[multiRootVariable], false)) {
    return `istiod ${text} loads another root bundle only with ${multiRootVariable}=true`;
  }
  if (rule.root === 'byte-substring') {
    if (wanted.includes(live) || live.includes(wanted)) return undefined;
    return `istiod ${text} loads another root bundle only if one contains the other byte for byte`;
  }
  if (isSubsetEitherWay(readableRoots(live), readableRoots(wanted))) return undefined;
  return `istiod ${text} loads another root bundle only if one contains all roots of the other`;
}

/** The current state of istiods, and the bundle that they are to load. */
export interface BundleChange {
  readonly istiods: readonly IstiodObservation[];
  readonly cacerts: CacertsSecret | 'absent';
  /** root-cert.pem of ConfigMap istio-ca-root-cert in istiod's namespace; undefined if there is none. */
  readonly liveBundle: string | undefined;
  /** istiod's self-signed CA certificate (Secret istio-ca-secret); undefined if there is none. */
  readonly selfSigned: string | undefined;
  readonly newBundle: string;
  /** The revocation lists that replace those of the Secret, empty to have none; undefined: they are kept. */
  readonly newLists: string | undefined;
}

/** Returns the running istiods that would not load a bundle without a restart, each with the reason. */
export function stuckIstiods(
  change: BundleChange,
): readonly {readonly istiod: IstiodObservation; readonly reason: string}[] {
  const {istiods, cacerts, liveBundle, newBundle, newLists} = change;
  const inSecret = cacerts === 'absent' ? undefined : cacerts.files.rootCert;
  const liveBundles = [liveBundle, inSecret].filter((bundle) => bundle !== undefined);
  const selfSigned = runsSelfSigned(change);
  const isLoaded = cacerts !== 'absent' && cacerts.files.layout !== 'tls' && (keptLists(cacerts) ?? '') !== '';
  const removesLists = isLoaded && newLists === '';
  return istiods.flatMap((istiod) => {
    const reason = restartReason(istiod, {liveBundles, newBundle, selfSigned, removesLists});
    return reason === undefined ? [] : [{istiod, reason}];
  });
}

/** An istiod that started without cacerts uses its self-signed CA until it restarts. */
function runsSelfSigned({cacerts, liveBundle, selfSigned}: BundleChange): boolean {
  if (cacerts === 'absent') return true;
  const own = readableRoots(selfSigned);
  const {roots: inSecret = []} = cacerts.inspection;
  return missingRoots(readableRoots(liveBundle), inSecret).some((root) => isAmong(root, own));
}
