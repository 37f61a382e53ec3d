/** How far proxies have followed the last change of the roots, from metadata alone. */
import {parse} from 'yaml';
import {parseGoDuration, parseBool} from '../../istio/environment.js';
import {hasFeature, multiRootVariable, xdsAgentVariable} from '../../istio/features.js';
import {fieldChangedAt, type KubeObject} from '../../kube/object.js';
import type {ConfigMapObject} from '../../kube/objects.js';
import {isOwnGateway} from '../../trust/workloads.js';
import type {ControlPlaneFacts} from '../facts.js';

/**
 * The label of every pod with a proxy: injected ones, gateways and waypoints (istio/istio
 * manifests/charts/istio-control/istio-discovery/files/{injection-template,gateway-injection-template,grpc-agent,
 * kube-gateway,waypoint}.yaml). Others may carry it, too: {@link isProxy} looks closer.
 */
export const proxyLabel = 'service.istio.io/canonical-name';
/** ztunnel holds the certificates of all ambient workloads of its node (manifests/charts/ztunnel). */
export const ztunnelSelector = 'app=ztunnel';

/** Whether a pod that carries {@link proxyLabel} has a proxy: the injector marks what it changed, istiod its gateways. */
export function isProxy(pod: KubeObject, istioNamespace: string): boolean {
  const {annotations = {}, labels = {}} = pod.metadata;
  const marked =
    annotations['sidecar.istio.io/status'] !== undefined ||
    labels['gateway.networking.k8s.io/gateway-name'] !== undefined;
  return marked && !isOwnGateway(pod, istioNamespace);
}

/** When istiod wrote the roots into the bundle beside it. */
export interface BundleAge {
  readonly createdAt: Date;
  /** Later than `createdAt` only if the roots were replaced. */
  readonly writtenAt: Date;
}

/** How old the bundle is; undefined where the object does not say. */
export function bundleAge({metadata}: ConfigMapObject): BundleAge | undefined {
  const createdAt = new Date(metadata.creationTimestamp ?? '');
  const writtenAt = fieldChangedAt(metadata, ['f:data', 'f:root-cert.pem']);
  return writtenAt === undefined || Number.isNaN(createdAt.getTime()) ? undefined : {createdAt, writtenAt};
}

/** What decides how soon proxies learn of new roots. */
export interface ProxyRules {
  /** The longest time until a proxy asks istiod anew: the life of its certificate. Milliseconds. */
  readonly leafLifeMs: number;
  /**
   * Proxies that started after this take roots as soon as istiod has them; undefined: none does. Source: istio/istio
   * pilot/pkg/xds/pcds.go (istiod pushes with ISTIO_MULTIROOT_MESH), pkg/istio-agent/xds_proxy.go (agents that started
   * with PROXY_CONFIG_XDS_AGENT listen).
   */
  readonly pushedSince?: Date;
}

/** What an agent asks for (pilot/cmd/pilot-agent/options/options.go, SECRET_TTL) and istiod's own default. */
const defaultLeafLifeMs = 24 * 3_600_000;
/** security/pkg/cmd/constants.go, MaxWorkloadCertTTL. */
const defaultMaxLeafLifeMs = 90 * defaultLeafLifeMs;

/** The rules of a cluster's control planes; of several, the slowest. */
export function proxyRules(
  controlPlanes: readonly ControlPlaneFacts[],
  configMaps: readonly ConfigMapObject[],
): ProxyRules {
  const rules = controlPlanes.map((controlPlane) => rulesOf(controlPlane, configMaps));
  const pushed = rules.map(({pushedSince}) => pushedSince).filter((since) => since !== undefined);
  return {
    leafLifeMs: Math.max(defaultLeafLifeMs, ...rules.map(({leafLifeMs}) => leafLifeMs)),
    ...(rules.length > 0 &&
      pushed.length === rules.length && {pushedSince: new Date(Math.max(...pushed.map((since) => since.getTime())))}),
  };
}

function rulesOf({revision, version, workload}: ControlPlaneFacts, configMaps: readonly ConfigMapObject[]): ProxyRules {
  const name = revision === 'default' ? 'istio' : `istio-${revision}`;
  const config = configMaps.find(({metadata}) => metadata.name === name);
  const told = proxyMetadata(config?.data?.mesh);
  const asked = parseGoDuration(told.SECRET_TTL) ?? defaultLeafLifeMs;
  const granted = parseGoDuration(workload.env.DEFAULT_WORKLOAD_CERT_TTL) ?? defaultLeafLifeMs;
  const most = parseGoDuration(workload.env.MAX_WORKLOAD_CERT_TTL) ?? defaultMaxLeafLifeMs;
  const pushes =
    hasFeature(version, 'multiRootMesh') &&
    hasFeature(version, 'proxyConfigXdsAgent') &&
    parseBool(workload.env[multiRootVariable], false) &&
    parseBool(told[xdsAgentVariable], false);
  const toldAt = config && fieldChangedAt(config.metadata, ['f:data', 'f:mesh']);
  return {leafLifeMs: Math.min(most, Math.max(asked, granted)), ...(pushes && toldAt && {pushedSince: toldAt})};
}

function proxyMetadata(mesh: string | undefined): Readonly<Record<string, string>> {
  const config = (mesh === undefined ? undefined : parse(mesh, {maxAliasCount: 0})) as
    {readonly defaultConfig?: {readonly proxyMetadata?: Readonly<Record<string, unknown>>}} | null | undefined;
  const entries = Object.entries(config?.defaultConfig?.proxyMetadata ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}
