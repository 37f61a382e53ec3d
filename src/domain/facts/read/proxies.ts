/** Determines from metadata alone whether proxies have received the latest roots. */
import * as z from 'zod';
import {parseGoDuration, parseBool} from '../../istio/environment.js';
import {hasFeature, multiRootVariable, xdsAgentVariable} from '../../istio/features.js';
import {gatewayNameOf, ofRevision} from '../../istio/names.js';
import {fieldChangedAt, type KubeObject} from '../../kube/object.js';
import type {ConfigMapObject} from '../../kube/objects.js';
import {isOwnGateway} from '../../trust/workloads.js';
import type {ControlPlaneFacts} from '../facts.js';
import {readOfRevision} from './control-plane.js';

/**
 * The label of every pod with a proxy: injected ones, gateways and waypoints (istio/istio
 * manifests/charts/istio-control/istio-discovery/files/{injection-template,gateway-injection-template,grpc-agent,
 * kube-gateway,waypoint}.yaml). Other pods may have it as well: see {@link isProxy}.
 */
export const proxyLabel = 'service.istio.io/canonical-name';
/** ztunnel holds the certificates of all ambient workloads of its node (manifests/charts/ztunnel). */
export const ztunnelLabels = {app: 'ztunnel'} as const;
/** The same as a selector. */
export const ztunnelSelector = 'app=ztunnel';

/** Whether a pod with {@link proxyLabel} has a proxy: the injector annotates injected pods, istiod labels its gateways. */
export function isProxy(pod: KubeObject, istioNamespace: string): boolean {
  const {annotations = {}, labels = {}} = pod.metadata;
  const marked = annotations['sidecar.istio.io/status'] !== undefined || gatewayNameOf(labels) !== undefined;
  return marked && !isOwnGateway(pod, istioNamespace);
}

/** When istiod wrote the roots into the bundle in its namespace. */
export interface BundleAge {
  readonly createdAt: Date;
  /** Later than `createdAt` only if the roots were replaced. */
  readonly writtenAt: Date;
}

/** The age of the bundle; undefined if the object does not record it. */
export function bundleAge({metadata}: ConfigMapObject): BundleAge | undefined {
  const createdAt = new Date(metadata.creationTimestamp ?? '');
  const writtenAt = fieldChangedAt(metadata, ['f:data', 'f:root-cert.pem']);
  return writtenAt === undefined || Number.isNaN(createdAt.getTime()) ? undefined : {createdAt, writtenAt};
}

/** The settings that determine how soon proxies get new roots. */
export interface ProxyRules {
  /** The longest time until a proxy contacts istiod again: the lifetime of its certificate. Milliseconds. */
  readonly leafLifetimeMs: number;
  /**
   * Proxies that started after this get roots as soon as istiod has them; undefined: none does. Source: istio/istio
   * pilot/pkg/xds/pcds.go (istiod pushes with ISTIO_MULTIROOT_MESH), pkg/istio-agent/xds_proxy.go (agents that started
   * with PROXY_CONFIG_XDS_AGENT subscribe).
   */
  readonly pushedSince?: Date;
}

/** The lifetime that an agent requests (pilot/cmd/pilot-agent/options/options.go, SECRET_TTL), also istiod's default. */
const defaultLifetimeMs = 24 * 3_600_000;
/** security/pkg/cmd/constants.go, MaxWorkloadCertTTL. */
const defaultMaxLifetimeMs = 90 * defaultLifetimeMs;

/** The settings of a cluster's control planes; of several, the slowest. */
export function proxyRules(
  controlPlanes: readonly ControlPlaneFacts[],
  configMaps: readonly ConfigMapObject[],
): ProxyRules {
  const rules = controlPlanes.map((controlPlane) => rulesOf(controlPlane, configMaps));
  const pushed = rules.map(({pushedSince}) => pushedSince).filter((since) => since !== undefined);
  return {
    leafLifetimeMs: Math.max(defaultLifetimeMs, ...rules.map(({leafLifetimeMs}) => leafLifetimeMs)),
    ...(rules.length > 0 &&
      pushed.length === rules.length && {pushedSince: new Date(Math.max(...pushed.map((since) => since.getTime())))}),
  };
}

function rulesOf({revision, version, workload}: ControlPlaneFacts, configMaps: readonly ConfigMapObject[]): ProxyRules {
  const config = configMaps.find(({metadata}) => metadata.name === ofRevision('istio', revision));
  const metadata = proxyMetadataOf(configMaps, revision);
  const requested = parseGoDuration(metadata.SECRET_TTL) ?? defaultLifetimeMs;
  const byDefault = parseGoDuration(workload.env.DEFAULT_WORKLOAD_CERT_TTL) ?? defaultLifetimeMs;
  const max = parseGoDuration(workload.env.MAX_WORKLOAD_CERT_TTL) ?? defaultMaxLifetimeMs;
  const pushes =
    hasFeature(version, 'multiRootMesh') &&
    hasFeature(version, 'proxyConfigXdsAgent') &&
    parseBool(workload.env[multiRootVariable], false) &&
    parseBool(metadata[xdsAgentVariable], false);
  const since = config && fieldChangedAt(config.metadata, ['f:data', 'f:mesh']);
  return {leafLifetimeMs: Math.min(max, Math.max(requested, byDefault)), ...(pushes && since && {pushedSince: since})};
}

/** The environment variables of a revision's proxies in its mesh config. Throws `API_ERROR` if that is unreadable. */
export function proxyMetadataOf(
  configMaps: readonly ConfigMapObject[],
  revision: string,
): Readonly<Record<string, string | undefined>> {
  return readOfRevision(meshConfig, configMaps, {name: 'istio', key: 'mesh', revision}).defaultConfig.proxyMetadata;
}

/** Users write it by hand, also with numbers and booleans for texts. */
const variable = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
const proxyMetadataMap = z.record(z.string(), variable.optional().catch(undefined)).catch({});
const meshConfig = z.object({
  defaultConfig: z.object({proxyMetadata: proxyMetadataMap}).catch({proxyMetadata: {}}),
});
