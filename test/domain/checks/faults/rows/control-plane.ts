import {PerPod} from '../../../../../src/domain/facts/facts.js';
import {known} from '../../../../../src/domain/observed.js';
import {
  certificate,
  controlPlane,
  daysFromNow,
  endpointsIn,
  gateway,
  istiodClusters,
  mesh,
  networkGateway,
  now,
  otherControlPlane,
  pod,
  readCluster,
  remoteCredential,
  services,
  workload,
} from '../../healthy.js';
import {clustersOf, healthy, type Fault} from '../builders.js';

const {cacerts} = healthy;
if (cacerts === 'absent') throw new Error('a healthy cluster has Secret cacerts');

const injector = 'ConfigMap istio-sidecar-injector';
const setting = (name: string, value: string) => ({name, object: injector, value});
/** istiod of cluster1 with these variables. */
const istiodWith = (env: Record<string, string>) => ({
  cluster1: {controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', {env})})]},
});
/** cluster1 in ambient mode, with these variables of its istiod. */
const ambient = (env: Record<string, string>) => ({
  ...istiodWith({PILOT_ENABLE_AMBIENT: 'true', ...env}).cluster1,
  ztunnelPods: ['ztunnel-1'],
});
const withSidecars = healthy.namespaces.map((one) =>
  one.name === 'shop' ? {...one, labels: {'istio-injection': 'enabled'}} : one,
);
const csr = 'cert-manager-istio-csr.cert-manager.svc:443';
const proxyCa = {injector, addresses: [], providers: [], istiodHosts: []};
const remote = (id: string, status: string) => readCluster(id, {status});

/** istiod of cluster1 in a version that loses a peer when its remote secret changes, as it did a day ago. */
const losing = (patch: number) => ({
  controlPlanes: [
    controlPlane('cluster1', {
      version: {major: 1, minor: 30, patch},
      workload: workload('istiod', {pods: [pod('istiod-1', {startedAt: daysFromNow(-2)})]}),
    }),
  ],
  remoteCredentials: [remoteCredential('cluster2', {changedAt: daysFromNow(-1)})],
});

/** The control planes: MESH4xx. */
export const controlPlaneFaults: readonly Fault[] = [
  [
    'the namespace has no network label',
    {cluster1: {namespaces: healthy.namespaces.map((one) => ({...one, labels: {}}))}},
    ['MESH401 error'],
  ],
  ['no istiod exists', {cluster1: {controlPlanes: [], servedChains: new PerPod([])}}, ['MESH402 error']],
  [
    'istiod has no pod',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', {pods: []})})]}},
    ['MESH402 error'],
  ],
  [
    'istiod is scaled to zero',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', {desired: 0, pods: []})})]}},
    ['MESH402 error'],
  ],
  [
    'an istiod of a second revision is Pending',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1'),
          controlPlane('cluster1', {
            revision: 'canary',
            workload: workload('istiod-canary', {
              pods: [pod('istiod-canary-1', {phase: 'Pending', ready: false, reason: 'Unschedulable'})],
            }),
          }),
        ],
      },
    },
    ['MESH402 error'],
  ],
  [
    'a gateway is not ready',
    {cluster1: {gateways: [gateway({workload: workload('gw', {pods: [pod('gw-1', {ready: false})]})})]}},
    ['MESH403 error'],
  ],
  [
    'proxies request certificates from istio-csr, which mesh.yaml does not declare',
    {cluster1: {proxyCas: [{...proxyCa, addresses: [setting('values.global.caAddress', csr)]}]}},
    ['MESH415 error'],
  ],
  [
    'proxies request certificates from the istiod of another namespace',
    {
      cluster1: {
        proxyCas: [{...proxyCa, addresses: [setting('proxyMetadata CA_ADDR', 'istiod.istio-system-174.svc:15012')]}],
      },
    },
    ['MESH415 error'],
  ],
  [
    'proxies use the workload certificates of GKE',
    {cluster1: {proxyCas: [{...proxyCa, providers: [setting('values.global.caName', 'GkeWorkloadCertificate')]}]}},
    ['MESH415 error'],
  ],
  [
    'a gateway requests its certificate from another CA',
    {
      cluster1: {
        gateways: [gateway({network: 'network1', workload: workload('gw', {env: {CA_ADDR: csr}})})],
      },
    },
    ['MESH415 error'],
  ],
  ['istiod issues no certificates', istiodWith({CLUSTER_ID: 'cluster1', ENABLE_CA_SERVER: 'false'}), ['MESH415 error']],
  [
    'istiod forwards requests to a Kubernetes signer that mesh.yaml does not declare',
    istiodWith({EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API'}),
    ['MESH415 error'],
  ],
  [
    'a control plane in another namespace writes another bundle into the same namespaces',
    {
      cluster1: {
        otherControlPlanes: [otherControlPlane],
        bundles: healthy.bundles.map((one) => (one.namespace === 'shop' ? {...one, text: 'other'} : one)),
      },
    },
    ['MESH416 error'],
  ],
  [
    'a control plane in another namespace has just written the bundle, which is the right one at this moment',
    {
      cluster1: {
        otherControlPlanes: [otherControlPlane],
        bundles: healthy.bundles.map((one) => ({...one, writtenAt: now})),
      },
    },
    ['MESH416 error'],
  ],
  [
    'a control plane in another namespace writes the same bundle into the same namespaces',
    {cluster1: {otherControlPlanes: [otherControlPlane]}},
    ['MESH416 warning'],
  ],
  [
    'the Deployment of a control plane in another namespace exists, and a different bundle has just been written',
    {
      cluster1: {
        otherControlPlanes: [{...otherControlPlane, isWriting: false, evidence: 'Deployment istiod'}],
        bundles: healthy.bundles.map((one) => ({...one, text: 'other', writtenAt: now})),
      },
    },
    ['MESH416 error'],
  ],
  [
    'istiod has not loaded the pushed bundle, beside the Deployment of an istiod that manages another cluster',
    {
      cluster1: {
        otherControlPlanes: [{...otherControlPlane, isWriting: false, evidence: 'Deployment istiod'}],
        bundles: healthy.bundles.map((one) => ({...one, text: 'other'})),
      },
    },
    ['MESH302 error'],
  ],
  ['clusterName was never set', {cluster1: {controlPlanes: [controlPlane('Kubernetes')]}}, ['MESH404 error']],
  [
    'mesh.yaml declares another clusterName than the running one',
    {declared1: {istioName: 'Kubernetes'}, cluster1: clustersOf(istiodClusters('Kubernetes'))},
    ['MESH404 error'],
  ],
  [
    "istiod's clusterName was changed, but not that of its proxies",
    {cluster1: {controlPlanes: [controlPlane('cluster1', {clusterID: 'Kubernetes'})]}},
    ['MESH418 error'],
  ],
  [
    'proxies are configured with another clusterName than that of istiod',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {proxyClusterID: 'Kubernetes'})]}},
    ['MESH418 error'],
  ],
  ['a gateway has another clusterName', {cluster1: {gateways: [gateway({clusterID: 'other'})]}}, ['MESH418 error']],
  [
    'a revision has another clusterName',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1'),
          controlPlane('other', {revision: 'canary', workload: workload('istiod-canary')}),
        ],
      },
    },
    ['MESH418 error'],
  ],
  [
    'proxies are configured with another network',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {network: 'network9'})]}},
    ['MESH405 error'],
  ],
  ['a gateway is on another network', {cluster1: {gateways: [gateway({network: 'network9'})]}}, ['MESH405 error']],
  [
    'proxies are configured with another mesh ID',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {meshID: 'other'})]}},
    ['MESH406 error'],
  ],
  [
    'the trust domain differs',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {trustDomain: 'x.y'})]}},
    ['MESH407 error'],
  ],
  [
    'istiod does not run the declared version',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {tag: '1.30.3', version: {major: 1, minor: 30, patch: 3}})]}},
    ['MESH408 error'],
  ],
  [
    'control planes are two minors apart',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: {controlPlanes: [controlPlane('cluster1', {tag: '1.29.6', version: {major: 1, minor: 29, patch: 6}})]},
    },
    ['MESH409 warning'],
  ],
  [
    'mesh.yaml declares rotation readiness, and istiod is not configured for it',
    {mesh: {trust: {...mesh.trust, rotationDeclared: true}}},
    ['MESH410 warning', 'MESH410 warning'],
  ],
  [
    'this istiod version breaks the chain for ambient workloads',
    {
      cluster1: {
        ztunnelPods: ['ztunnel-1'],
        controlPlanes: [controlPlane('cluster1', {version: {major: 1, minor: 24, patch: 3}})],
        cacerts: {
          ...cacerts,
          chain: [{subject: 'CN=between', selfSigned: false}, ...cacerts.chain],
        },
      },
    },
    // That version does not support several networks either.
    ['MESH410 error', 'MESH417 error'],
  ],
  [
    'ambient workloads and sidecars share the clusters',
    {cluster1: {...ambient({AMBIENT_ENABLE_MULTI_NETWORK: 'true'}), namespaces: withSidecars}},
    ['MESH410 warning'],
  ],
  ['istiod ignores other networks in ambient mode', {cluster1: ambient({})}, ['MESH417 error']],
  [
    'istiod ignores other networks in ambient mode, in a mesh that also has sidecars',
    {cluster1: {...ambient({}), namespaces: withSidecars}},
    ['MESH417 warning'],
  ],
  [
    'ambient mode on several networks is turned off',
    {cluster1: ambient({AMBIENT_ENABLE_MULTI_NETWORK: 'false'})},
    ['MESH417 warning'],
  ],
  [
    'two clusters in ambient mode share a network',
    {
      mesh: {clusters: mesh.clusters.map((one) => ({...one, network: 'network1'}))},
      cluster1: ambient({AMBIENT_ENABLE_MULTI_NETWORK: 'true'}),
    },
    ['MESH417 warning'],
  ],
  [
    'istiod and the injector use a hub that is shut down',
    {
      cluster1: {
        hubs: [
          {hub: 'registry.istio.io/release', usedBy: 'istiod'},
          {hub: 'registry.istio.io/release', usedBy: injector},
        ],
      },
    },
    ['MESH419 warning'],
  ],
  [
    'a gateway still has an image of a hub that is shut down',
    {
      cluster1: {
        hubs: [
          {hub: 'docker.io/istio', usedBy: 'istiod'},
          {hub: 'gcr.io/istio-release', usedBy: 'pods of gw', injectedInto: 'gw'},
        ],
      },
    },
    ['MESH419 warning'],
  ],
  [
    'mesh.yaml declares a hub that is shut down',
    {mesh: {istio: {...mesh.istio, hub: 'gcr.io/istio-release'}}},
    ['MESH419 warning', 'MESH419 warning'],
  ],
  [
    'this istiod version gives proxies one of two roots',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: {
        controlPlanes: [controlPlane('cluster1', {version: {major: 1, minor: 25, patch: 1}})],
        cacerts: {...cacerts, roots: [...cacerts.roots, certificate('next root')]},
      },
    },
    ['MESH410 error'],
  ],
  [
    'this istiod version applies revocation lists that were removed',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {publishesLists: true})]}},
    ['MESH410 warning'],
  ],
  [
    'istiod has lost the endpoints and the gateway of a peer whose remote secret changed',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: {
        ...losing(3),
        ...clustersOf(istiodClusters('cluster1', remote('cluster2', 'synced'))),
        istiodDiscovery: new PerPod([
          {
            name: 'istiod-1',
            observed: known({
              endpoints: [endpointsIn('cluster1', ...services)],
              gatewayNetworks: ['network1'],
            }),
          },
        ]),
      },
    },
    ['MESH410 error', 'MESH410 error'],
  ],
  [
    'istiod waits for itself after the remote secret of a peer changed',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: {...losing(2), ...clustersOf(istiodClusters('cluster1', remote('cluster2', 'syncing')))},
    },
    ['MESH410 warning', 'MESH506 error'],
  ],
  ['a network has no gateway', {cluster1: {networkGateways: []}}, ['MESH411 error']],
  [
    'the load balancer of an east-west gateway is pending',
    {cluster1: {networkGateways: [networkGateway('network1', {addresses: []})]}},
    ['MESH411 error'],
  ],
  [
    'istiod has not synced its own cluster',
    {
      cluster1: clustersOf({
        known: [{id: 'cluster1', secretName: '', status: 'syncing'}, readCluster('cluster2')],
        listsItself: true,
      }),
    },
    ['MESH412 error'],
  ],
  ...['syncing', 'timeout', 'closed', 'a later status'].map((status): Fault => [
    `one of two istiods reports a peer as ${status}`,
    {
      cluster1: clustersOf(
        istiodClusters('cluster1', remote('cluster2', 'synced')),
        istiodClusters('cluster1', remote('cluster2', status)),
      ),
    },
    ['MESH506 error'],
  ]),
  [
    'a running istiod has a cluster name other than the declared one',
    {cluster1: clustersOf(istiodClusters('Kubernetes'))},
    ['MESH412 error'],
  ],
  [
    'a running istiod does not list its own cluster',
    {cluster1: clustersOf({known: [readCluster('cluster2')], listsItself: true})},
    ['MESH412 error'],
  ],
];
