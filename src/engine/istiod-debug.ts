/** Reads the HTTP endpoints of a running istiod pod, which answer requests over the pod's loopback without a token. */
import {MeshError} from '../domain/errors.js';
import {advice, type ClusterContext, fixWith, words} from '../domain/suggest/suggestion.js';
import type {Deps} from './deps.js';

/** Metrics and debug endpoints (istio/istio pilot/pkg/xds/debug.go). */
export const monitoringPort = 15014;

const responseTimeoutMs = 10_000;

/** The largest responses that are read. Bytes. */
export const debugLimits = {
  /** About 100 bytes for each cluster. */
  clusterz: 1024 * 1024,
  /** About 150 bytes for each gateway address. */
  networkz: 1024 * 1024,
  /** About 1 kB for each endpoint: enough for 60,000. */
  endpointShardz: 64 * 1024 * 1024,
} as const;

/** A pod of istiod, and the local port that is forwarded to its monitoring port. */
export interface ReachedIstiod {
  readonly name: string;
  readonly deployment: string;
  readonly port: number;
}

/** Where the pod runs, for hints. */
export interface IstiodPlace {
  readonly cluster: ClusterContext;
  readonly namespace: string;
}

/** Returns the text of a debug endpoint. Throws `ENDPOINT_OFF`, `UNAUTHORIZED`, `FORBIDDEN`, `API_ERROR`, and what the probe throws. */
export async function getDebugText(
  http: Deps['http'],
  pod: ReachedIstiod,
  {path, maxBytes}: {readonly path: string; readonly maxBytes: number},
  place: IstiodPlace,
): Promise<string> {
  const {status, text} = await getFromIstiod(http, pod, path, maxBytes);
  if (status === 404) throw debugEndpointOffError(pod, path, place);
  if (status !== 200) throw statusError(pod, path, status);
  return text;
}

/** Returns the response to a request for a path. */
export function getFromIstiod(
  http: Deps['http'],
  {port}: Pick<ReachedIstiod, 'port'>,
  path: string,
  maxBytes: number,
): ReturnType<Deps['http']['get']> {
  return http.get({port, path, timeoutMs: responseTimeoutMs, maxBytes});
}

/** If this is set, istiod registers no debug endpoints (istio/istio pilot/pkg/xds/debug.go, AddDebugHandlers). */
function debugEndpointOffError(
  {name, deployment}: Omit<ReachedIstiod, 'port'>,
  path: string,
  {cluster, namespace}: IstiodPlace,
): MeshError {
  const setting = words`set env deployment/${deployment} ENABLE_DEBUG_ON_HTTP-`;
  const enable = fixWith.kubectl(cluster, words`-n ${namespace} ${setting}`);
  return new MeshError(
    'ENDPOINT_OFF',
    `the debug endpoint of ${name} is disabled (ENABLE_DEBUG_ON_HTTP=false in its environment): ${path} cannot be read`,
    {hints: [advice`enable it in install.yaml (values.pilot.env), or immediately: ${enable}`]},
  );
}

/** The error for a response that is not a success. */
export function statusError({name}: Pick<ReachedIstiod, 'name'>, path: string, status: number): MeshError {
  const what = `${name} returned HTTP ${String(status)} for GET ${path}`;
  const code = {401: 'UNAUTHORIZED', 403: 'FORBIDDEN'}[status] as 'UNAUTHORIZED' | 'FORBIDDEN' | undefined;
  if (code === undefined) return new MeshError('API_ERROR', what);
  return new MeshError(code, `${what}: it does not treat the request as coming from its own pod`);
}
