/** The Kubernetes versions that each Istio version supports. */
import {defined} from '../defined.js';
import {factFor, type Since} from './since.js';
import type {IstioVersion} from './version.js';

const k8sVersionFile = 'istioctl/pkg/install/k8sversion/version.go at each release';

/** The oldest Kubernetes 1.x minor version that an Istio version supports; istioctl warns about older ones. */
export const kubernetesMinima: readonly [Since<number>, ...Since<number>[]] = [
  {from: '1.6', value: 16, source: k8sVersionFile},
  ...Object.entries({
    ...{'1.9': 17, '1.13': 19, '1.16': 22, '1.17': 23, '1.18': 24, '1.19': 25},
    ...{'1.21': 26, '1.24': 28, '1.25': 29, '1.28': 30, '1.30': 32},
  }).map(([from, value]) => ({from, value, source: k8sVersionFile})),
];

/**
 * The newest Kubernetes 1.x minor version on which an Istio version can be installed, if there is a limit: Istio 1.6 to 1.9
 * apply admissionregistration.k8s.io/v1beta1 webhooks, which Kubernetes 1.22 removed (manifests/charts at each release).
 */
export const kubernetesMaxima: readonly [Since<number | undefined>, ...Since<number | undefined>[]] = [
  {from: '1.6', value: 21, source: '1.9.9:manifests/charts/istio-control/istio-discovery/templates'},
  {from: '1.10', value: undefined, source: '1.10.6:manifests/charts/istio-control/istio-discovery/templates'},
];

/** Returns the range of Kubernetes 1.x minor versions for an Istio version. */
export function kubernetesRange(version: IstioVersion): {readonly min: number; readonly max?: number} {
  const max = factFor(kubernetesMaxima, version).value;
  return defined({min: factFor(kubernetesMinima, version).value, max});
}

/** Whether a Kubernetes 1.x minor version is compatible with an Istio version. */
export type KubernetesFit =
  | {readonly fit: 'fits'}
  /** Older than Istio supports: istioctl installs with a warning. */
  | {readonly fit: 'too old'; readonly min: number}
  /** Too new: Istio cannot be installed on it. */
  | {readonly fit: 'too new'; readonly max: number};

/** Compares a Kubernetes 1.x minor version with {@link kubernetesRange}. */
export function kubernetesFit(version: IstioVersion, minor: number): KubernetesFit {
  const {min, max} = kubernetesRange(version);
  if (max !== undefined && minor > max) return {fit: 'too new', max};
  return minor < min ? {fit: 'too old', min} : {fit: 'fits'};
}
