/**
 * Evidence of a healthy mesh of an Istio version: what its istiods, API servers and objects differ in. The versions are
 * written down here again, from Istio's sources, so that a wrong table of the program shows.
 */
import {kubernetesRange} from '../../../src/domain/istio/kubernetes.js';
import {newestKnown, oldestKnown, resolveVersion} from '../../../src/domain/istio/versions.js';
import {PerPod} from '../../../src/domain/facts/facts.js';
import {known} from '../../../src/domain/observed.js';
import {
  clusterValues,
  controlPlane,
  daysFromNow,
  istiodClusters,
  istiodMetrics,
  mesh,
  networkGateway,
  networks,
  workload,
  type ClusterValues,
  type Overrides,
} from './healthy.js';

/** Every minor version that the program covers. */
export const minors: readonly number[] = Array.from(
  {length: newestKnown.minor - oldestKnown.minor + 1},
  (_, index) => oldestKnown.minor + index,
);

/** The first minor version with something that evidence shows (sources: the release's file in istio/istio). */
const since = {
  /** 1.7.0:security/pkg/server/ca/monitoring.go: metric of the CA's expiry. */
  caExpiry: 7,
  /** 1.8.6:pilot/pkg/serviceregistry/kube/controller/network.go: networks come from labels instead of meshNetworks. */
  networkLabel: 8,
  /** 1.10.6:pilot/pkg/features/pilot.go: the variable that install.yaml sets. */
  multiRoot: 10,
  /** 1.11.8:pilot/pkg/xds/debug.go: /debug/clusterz. */
  clusterz: 11,
  /** 1.21.0:pkg/kube/inject/initializer.go: the bundle is written to kube-system, too. */
  kubeSystem: 21,
  /** 1.22.0:pkg/kube/multicluster/secretcontroller.go: the list contains istiod's own cluster. */
  ownCluster: 22,
  /** 1.24.0:pilot/pkg/bootstrap/istio_ca.go: a reload updates the metrics. */
  freshMetrics: 24,
} as const;

type Name = keyof typeof networks;

/** A healthy cluster with istiods of this version, on this Kubernetes 1.x. */
export function valuesOf(name: Name, tag: string, kubernetes: number): ClusterValues {
  const {version} = resolveVersion(tag);
  const has = (feature: keyof typeof since): boolean => version.minor >= since[feature];
  const values = clusterValues(name);
  const env: Record<string, string> = has('multiRoot') ? {ISTIO_MULTIROOT_MESH: 'true'} : {};
  const {caExpiry, ...metrics} = istiodMetrics(name, {version: tag});
  const ofStart = has('freshMetrics') ? caExpiry : daysFromNow(-1);
  const peer = name === 'cluster1' ? 'cluster2' : 'cluster1';
  const remote = {id: peer, secretName: `istio-system/istio-remote-secret-${peer}`, status: 'synced'} as const;
  const listed = istiodClusters(name, remote);
  return {
    ...values,
    apiVersion: {gitVersion: `v1.${String(kubernetes)}.0`, major: 1, minor: kubernetes},
    controlPlanes: [controlPlane(name, {network: networks[name], tag, version, workload: workload('istiod', {env})})],
    bundles: values.bundles.filter(({namespace}) => has('kubeSystem') || namespace !== 'kube-system'),
    networkGateways: [
      networkGateway(
        networks[name],
        has('networkLabel') ? {} : {declaredBy: 'meshNetworks', name: 'istio-ingressgateway'},
      ),
    ],
    istiodMetrics: new PerPod([
      {
        name: 'istiod-1',
        observed: known({...metrics, ...(has('caExpiry') && ofStart !== undefined && {caExpiry: ofStart})}),
      },
    ]),
    istiodClusters: new PerPod([
      {
        name: 'istiod-1',
        observed: known(has('ownCluster') ? listed : {listsItself: false, ...(has('clusterz') && {known: [remote]})}),
      },
    ]),
  };
}

/** A healthy mesh of this version on the oldest and the newest Kubernetes version that suit it. */
export function meshesOf(tag: string): readonly Overrides[] {
  const {version} = resolveVersion(tag);
  const {min, last} = kubernetesRange(version);
  const max = last?.minor ?? Math.max(min, 34);
  return [...new Set([min, max])].map((kubernetes) => ({
    mesh: {istio: {...mesh.istio, version: `1.${String(version.minor)}`}},
    cluster1: valuesOf('cluster1', tag, kubernetes),
    cluster2: valuesOf('cluster2', tag, kubernetes),
  }));
}
