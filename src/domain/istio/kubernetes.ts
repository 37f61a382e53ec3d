/** The Kubernetes versions that each Istio version supports. */
import {defined} from '../defined.js';
import {factFor, since, type Since} from './since.js';
import {formatMinor, type IstioVersion} from './version.js';
import {newestKnown, oldestKnown} from './versions.js';

const k8sVersionFile = 'istioctl/pkg/install/k8sversion/version.go at each release';

/**
 * The oldest Kubernetes 1.x minor version that an Istio version supports; istioctl warns about older ones. Some patch
 * releases raised it.
 */
export const kubernetesMinima: readonly [Since<number>, ...Since<number>[]] = [
  since('1.6', 15, k8sVersionFile),
  ...(
    [
      ['1.7', 16],
      ['1.9', 17],
      ['1.13', 19],
      ['1.16.3', 22],
      ['1.17', 23],
      ['1.18.1', 24],
      ['1.19', 25],
      ['1.21', 26],
      ['1.24', 28],
      ['1.25.1', 29],
      ['1.28.2', 30],
      ['1.30', 32],
    ] as const
  ).map(([from, value]) => since(from, value, k8sVersionFile)),
];

/** The APIs that an Istio version's objects use, and the last Kubernetes version that serves them. */
export interface LastKubernetes {
  /** The minor version of Kubernetes 1. */
  readonly minor: number;
  /** `policy/v1beta1`. */
  readonly apis: string;
  /** The kinds of objects that use them, in the plural. */
  readonly objects: string;
}

/**
 * The newest Kubernetes 1.x version on which an Istio version can be installed, if there is a limit (istio/istio manifests/charts
 * at each release; kubernetes.io: reference/using-api/deprecation-guide, v1.22 and v1.25).
 */
export const kubernetesMaxima: readonly [Since<LastKubernetes | undefined>, ...Since<LastKubernetes | undefined>[]] = [
  since(
    '1.6',
    {minor: 21, apis: 'admissionregistration.k8s.io/v1beta1', objects: 'webhooks'},
    '1.9.9:manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml',
  ),
  since(
    '1.10',
    {
      minor: 24,
      apis: 'policy/v1beta1 and autoscaling/v2beta1',
      objects: 'PodDisruptionBudgets and HorizontalPodAutoscalers',
    },
    '1.10.6:manifests/charts/istio-control/istio-discovery/templates/poddisruptionbudget.yaml, autoscale.yaml',
  ),
  since('1.14', undefined, '1.14.0:manifests/charts/istio-control/istio-discovery/templates/poddisruptionbudget.yaml'),
];

/** Returns the range of Kubernetes 1.x versions for an Istio version. */
export function kubernetesRange(version: IstioVersion): {readonly min: number; readonly last?: LastKubernetes} {
  return defined({min: factFor(kubernetesMinima, version).value, last: factFor(kubernetesMaxima, version).value});
}

/** Whether a Kubernetes 1.x minor version is compatible with an Istio version. */
export type KubernetesFit =
  | {readonly fit: 'fits'}
  /** Older than Istio supports: istioctl installs with a warning. */
  | {readonly fit: 'too old'; readonly min: number}
  /** Too new: istioctl fails at the first object whose API is not served, and leaves a partial installation. */
  | {readonly fit: 'too new'; readonly last: LastKubernetes};

/** Compares a Kubernetes 1.x minor version with {@link kubernetesRange}. */
export function kubernetesFit(version: IstioVersion, minor: number): KubernetesFit {
  const {min, last} = kubernetesRange(version);
  if (last && minor > last.minor) return {fit: 'too new', last};
  return minor < min ? {fit: 'too old', min} : {fit: 'fits'};
}

/** Istio minor versions that fit a Kubernetes version. */
export interface FittingIstio {
  /** `1.19` */
  readonly oldest: string;
  readonly newest: string;
}

/**
 * Returns the oldest and the newest known Istio version that can be installed on a Kubernetes 1.x minor version and support
 * it, in their newest patch releases. Undefined if there is none.
 */
export function istioFor(minor: number): FittingIstio | undefined {
  const {major} = newestKnown;
  const fitting = Array.from({length: newestKnown.minor - oldestKnown.minor + 1}, (_, index) => ({
    major,
    minor: oldestKnown.minor + index,
  })).filter((version) => kubernetesFit(version, minor).fit === 'fits');
  const [oldest] = fitting;
  const newest = fitting.at(-1);
  return oldest && newest && {oldest: formatMinor(oldest), newest: formatMinor(newest)};
}
