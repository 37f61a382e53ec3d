/** A pod as the API server has it after injection, as far as running it needs. Pure. */
import type {Resource} from '../api.js';
import {expand} from '../istiod.js';
import type {Volume} from '../volumes.js';

/** A pod's container. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly {readonly containerPort: number}[];
  readonly volumeMounts?: readonly {readonly name: string; readonly mountPath: string}[];
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly resources?: {readonly limits?: Readonly<Record<string, string>>};
  readonly securityContext?: {readonly runAsUser?: number; readonly runAsGroup?: number};
  /** Of an init container: Always makes it a sidecar, which runs as long as the pod. */
  readonly restartPolicy?: string;
}

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: {readonly fieldPath: string};
    readonly resourceFieldRef?: {readonly resource: string};
  };
}

/** The kind of probe that Istio's proxies have. */
export interface Probe {
  readonly httpGet?: {readonly path?: string; readonly port: number | string};
}

/** A volume, with those kinds that only workloads have. */
export type PodVolume = Volume & {
  readonly emptyDir?: object;
  readonly downwardAPI?: {
    readonly items: readonly {readonly path: string; readonly fieldRef?: {readonly fieldPath: string}}[];
  };
};

/** A pod. */
export interface ProxyPod extends Resource {
  readonly metadata: Resource['metadata'] & {readonly namespace: string; readonly uid: string};
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly PodVolume[];
    readonly securityContext?: {readonly runAsUser?: number; readonly runAsGroup?: number};
  };
  readonly status?: {readonly phase?: string; readonly hostIP?: string};
}

/** Sidecars in the newer form (init containers that stay) and the older one are found by the container's name. */
export function hasProxy({spec}: ProxyPod): boolean {
  return [...(spec.initContainers ?? []), ...spec.containers].some(({name}) => name === 'istio-proxy');
}

/** The environment that a container gets; `address` is its pod's. */
export function environmentOf(pod: ProxyPod, container: Container, address: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const {name, value, valueFrom} of container.env ?? []) {
    const found =
      value === undefined && valueFrom !== undefined
        ? valueOf(pod, container, address, valueFrom)
        : expand(value ?? '', environment);
    if (found !== undefined) environment[name] = found;
  }
  return environment;
}

/** Arguments with `$(NAME)` replaced. */
export function argumentsOf(container: Container, environment: Readonly<Record<string, string>>): string[] {
  return (container.args ?? []).map((argument) => expand(argument, environment));
}

/** User and group that the container's program runs as. */
export function userOf(pod: ProxyPod, {securityContext}: Container): {readonly uid: number; readonly gid: number} {
  const uid = securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? 0;
  const gid = securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup ?? 0;
  return {uid, gid};
}

/** Files of a downward API volume: a map becomes lines of `key="value"`, escaped as in Go (kubernetes pkg/fieldpath). */
export function downwardFiles(pod: ProxyPod, volume: PodVolume): Record<string, Buffer> {
  const items = volume.downwardAPI?.items ?? [];
  return Object.fromEntries(
    items.map(({path, fieldRef}) => [path, Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? '', '') ?? '')]),
  );
}

function valueOf(
  pod: ProxyPod,
  container: Container,
  address: string,
  {fieldRef, resourceFieldRef}: NonNullable<EnvVar['valueFrom']>,
): string | undefined {
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath, address);
  const quantity = container.resources?.limits?.[resourceFieldRef?.resource.replace(/^limits\./, '') ?? ''];
  return quantity === undefined ? undefined : String(amount(quantity));
}

function fieldOf(pod: ProxyPod, path: string, address: string): string | undefined {
  const {metadata, spec} = pod;
  const [, map, key] = /^metadata\.(labels|annotations)(?:\['(.*)'\])?$/.exec(path) ?? [];
  if (map === 'labels' || map === 'annotations') {
    const values = metadata[map] ?? {};
    if (key !== undefined) return values[key];
    return Object.entries(values)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join('\n');
  }
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': address,
    'status.hostIP': pod.status?.hostIP ?? '127.0.0.1',
  };
  return fields[path];
}

/** A Kubernetes quantity in units of one, rounded up. */
function amount(quantity: string): number {
  const factors: Readonly<Record<string, number>> = {
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
  };
  const [, number = '0', unit = ''] = /^([\d.]+)(\w*)$/.exec(quantity) ?? [];
  return Math.ceil(Number(number) * (factors[unit] ?? 1));
}
