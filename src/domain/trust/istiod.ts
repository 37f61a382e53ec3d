/** Running istiods, and whether they take a change of cacerts over by themselves. */
import type {DeploymentObject} from '../kube/objects.js';
import {istiodContainer, istiodTag} from '../istio/image.js';
import {parseBool} from '../istio/environment.js';
import {caCrlVariable, hasFeature, multiRootVariable} from '../istio/features.js';
import {reloadRule} from '../istio/reload.js';
import {resolveVersion, type KnownVersion} from '../istio/versions.js';
import {isAmong, isSubsetEitherWay, missingRoots, readableRoots} from '../ca/trust-store.js';
import type {CacertsSecret} from './cacerts.js';

/** One istiod Deployment. */
export interface IstiodObservation {
  readonly name: string;
  readonly version: KnownVersion;
  /** Environment of its container, values only. */
  readonly env: Readonly<Record<string, string>>;
  readonly readyPods: number;
}

/** Reads an istiod Deployment. */
export function readIstiod(deployment: DeploymentObject): IstiodObservation {
  const {readyReplicas = 0} = deployment.status ?? {};
  const {env = []} = istiodContainer(deployment.spec.template.spec.containers) ?? {};
  return {
    name: deployment.metadata.name,
    version: resolveVersion(istiodTag(deployment.spec.template.spec.containers)),
    env: Object.fromEntries(env.flatMap(({name, value}) => (value === undefined ? [] : [[name, value] as const]))),
    readyPods: readyReplicas,
  };
}

/**
 * Whether it reads revocation lists beside the *.pem files of cacerts (istio/istio pilot/pkg/bootstrap/istio_ca.go,
 * detectSigningCABundleAndCRL).
 */
export function readsCrl({version: {version}, env}: Pick<IstiodObservation, 'version' | 'env'>): boolean {
  return hasFeature(version, 'caCrl') && parseBool(env[caCrlVariable], true);
}

/** A change of cacerts, as an istiod meets it. */
export interface CaChange {
  /**
   * The bundles that istiod may have loaded, byte for byte: ConfigMap istio-ca-root-cert and Secret cacerts as they are
   * now. They differ for half a minute after a restart, until the former leader's lease ends and the ConfigMap is
   * written (istio/istio pilot/pkg/leaderelection/leaderelection.go), so neither can be believed alone.
   */
  readonly liveBundles: readonly string[];
  readonly newBundle: string;
  /** istiod runs with a CA of its own making. */
  readonly selfSigned: boolean;
}

/**
 * Why a running istiod does not take the change over without a restart; undefined when it does. Source of the rules:
 * istio/istio pilot/pkg/bootstrap/istio_ca.go at each version (`reloadRules`). A root change is a change of bytes:
 * istiod compares the files before it compares certificates.
 */
export function restartReason(istiod: IstiodObservation, change: CaChange): string | undefined {
  if (istiod.readyPods === 0) return undefined;
  if (change.selfSigned) return 'it made its own CA at start and does not watch the Secret';
  const rule = reloadRule(istiod.version.version);
  const {text: said} = istiod.version;
  if (rule.clusterCa === 'never') return `istiod ${said} reads its CA only at start`;
  if (typeof rule.clusterCa === 'object' && !parseBool(istiod.env[rule.clusterCa.env], rule.clusterCa.unset)) {
    return `istiod ${said} reads its CA only at start unless ${rule.clusterCa.env} is true`;
  }
  return change.liveBundles
    .filter((live) => live !== change.newBundle)
    .map((live) => rootReason(istiod, live, change.newBundle))
    .find((reason) => reason !== undefined);
}

/** Why an istiod does not go from one root bundle to another while it runs. */
function rootReason(
  {env, version: {text: said, version}}: IstiodObservation,
  live: string,
  wanted: string,
): string | undefined {
  const rule = reloadRule(version);
  if (rule.root === 'never') return `istiod ${said} takes no other root bundle while it runs`;
  if (!parseBool(env[multiRootVariable], false)) {
    return `istiod ${said} takes another root bundle only with ${multiRootVariable}=true`;
  }
  if (rule.root === 'byte-substring') {
    if (wanted.includes(live) || live.includes(wanted)) return undefined;
    return `istiod ${said} takes another root bundle only when one contains the other byte for byte`;
  }
  if (isSubsetEitherWay(readableRoots(live), readableRoots(wanted))) return undefined;
  return `istiod ${said} takes another root bundle only when one holds all roots of the other`;
}

/** What tells whether istiods would take a bundle over: what they run with, and what they are to run with. */
export interface BundleChange {
  readonly istiods: readonly IstiodObservation[];
  readonly cacerts: CacertsSecret | 'absent';
  /** root-cert.pem of ConfigMap istio-ca-root-cert beside istiod; undefined: none. */
  readonly liveBundle: string | undefined;
  /** The certificate that istiod made for itself (Secret istio-ca-secret); undefined: none. */
  readonly selfSigned: string | undefined;
  readonly newBundle: string;
}

/** The running istiods that would not take a bundle over without a restart, each with the reason. */
export function stuckIstiods(
  change: BundleChange,
): readonly {readonly istiod: IstiodObservation; readonly reason: string}[] {
  const {istiods, cacerts, liveBundle, newBundle} = change;
  const inSecret = cacerts === 'absent' ? undefined : cacerts.files.rootCert;
  const liveBundles = [liveBundle, inSecret].filter((bundle) => bundle !== undefined);
  const selfSigned = runsSelfSigned(change);
  return istiods.flatMap((istiod) => {
    const reason = restartReason(istiod, {liveBundles, newBundle, selfSigned});
    return reason === undefined ? [] : [{istiod, reason}];
  });
}

/** istiod that started without cacerts made its own CA, and serves that until it restarts. */
function runsSelfSigned({cacerts, liveBundle, selfSigned}: BundleChange): boolean {
  if (cacerts === 'absent') return true;
  const own = readableRoots(selfSigned);
  const {roots: inSecret = []} = cacerts.inspection;
  return missingRoots(readableRoots(liveBundle), inSecret).some((root) => isAmong(root, own));
}
