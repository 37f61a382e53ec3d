import {describe, expect, it} from 'vitest';
import {PerPod, type IstiodMetrics} from '../../../../src/domain/facts/facts.js';
import {known} from '../../../../src/domain/observed.js';
import {
  bundleText,
  certificate,
  cacertsOf,
  clusterCa,
  clusterValues,
  controlPlane,
  daysFromNow,
  fingerprintsOf,
  gateway,
  istiodClusters,
  istiodDiscovery,
  istiodMetrics,
  liveRoots,
  networks,
  now,
  otherControlPlane,
  pod,
  readCluster,
  remoteCredential,
  root,
  servedChain,
  webhooks,
  workload,
  type Overrides,
} from '../healthy.js';
import {healthyDiscovery} from './rows/discovery.js';
import {failures, clustersOf, foreignRoot, healthy, healthyBundles, metricsOf} from './builders.js';

const {version, unauthenticated, signingErrors, rootExpiry, requests, issued} = istiodMetrics('cluster1');
const noCa = {version, unauthenticated, signingErrors, requests: 0, issued: 0};
const signsWithRoot = {version, unauthenticated, signingErrors, requests, issued, ...(rootExpiry && {rootExpiry})};
const bare = (metrics: IstiodMetrics) => ({istiodMetrics: new PerPod([{name: 'istiod-1', observed: known(metrics)}])});

/** Unusual but healthy states. */
const healthyCases: readonly (readonly [string, Overrides])[] = [
  [
    'istiod mounts a Secret of another name',
    {
      cluster1: {
        caSources: [{istiod: 'istiod', source: {from: 'secret', name: 'mesh-ca'}}],
        caOrigin: {from: 'mounted', source: {from: 'secret', name: 'mesh-ca'}},
        cacerts: cacertsOf(clusterCa('cluster1'), {name: 'mesh-ca'}),
      },
    },
  ],
  [
    'an istiod of a version that loses clusters, which has lost none after a remote secret changed',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {
            version: {major: 1, minor: 30, patch: 2},
            workload: workload('istiod', {pods: [pod('istiod-1', {startedAt: daysFromNow(-2)})]}),
          }),
        ],
        remoteCredentials: [remoteCredential('cluster2', {changedAt: daysFromNow(-1)})],
        ...clustersOf(istiodClusters('cluster1')),
        istiodDiscovery: new PerPod([
          {
            name: 'istiod-1',
            observed: known({
              ...istiodDiscovery(),
              gatewayNetworks: ['network1', 'network2'],
            }),
          },
        ]),
      },
    },
  ],
  [
    'a git checkout without keys',
    {
      cluster1: {caFiles: clusterCa('cluster1', {key: 'absent', missing: ['ca-key.pem']})},
      meshValues: {rootKey: {protection: 'absent'}, fileModes: []},
    },
  ],
  [
    "a Makefile's cluster CA that outlives its root by seconds",
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notAfter: new Date(root.notAfter.getTime() + 12_000)}),
        }),
      },
    },
  ],
  [
    'CAs and a root of 25 years with two years left',
    (() => {
      const period = {notBefore: daysFromNow(-8402), notAfter: daysFromNow(729)};
      const old = {
        certificate: certificate('ca of cluster1', period),
        roots: [{...root, ...period}],
      };
      return {cluster1: {caFiles: clusterCa('cluster1', old), cacerts: cacertsOf(clusterCa('cluster1', old))}};
    })(),
  ],
  [
    'one serial number of two issuers',
    (() => {
      const other = {certificate: certificate('ca of cluster1', {serial: '01', issuer: 'O=Istio, CN=policy CA'})};
      return {
        cluster1: {caFiles: clusterCa('cluster1', other), cacerts: cacertsOf(clusterCa('cluster1', other))},
        cluster2: {caFiles: clusterCa('cluster2', {certificate: certificate('ca of cluster2', {serial: '01'})})},
      };
    })(),
  ],
  [
    'both roots in every bundle during a root rotation',
    (() => {
      const both = {roots: [root, foreignRoot]};
      return {
        cluster1: {
          caFiles: clusterCa('cluster1', both),
          cacerts: cacertsOf(clusterCa('cluster1', both)),
        },
        cluster2: {
          caFiles: clusterCa('cluster2', {...both, anchor: foreignRoot.fingerprint}),
          cacerts: cacertsOf(clusterCa('cluster2', both)),
        },
      };
    })(),
  ],
  [
    'completed, evicted and terminating pods',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {
            workload: workload('istiod', {
              pods: [pod('istiod-1'), pod('istiod-0', {phase: 'Failed', ready: false, gone: true, reason: 'Evicted'})],
            }),
          }),
        ],
      },
    },
  ],
  [
    'a terminating namespace without a bundle',
    {cluster1: {namespaces: [...healthy.namespaces, {name: 'going', labels: {}, terminating: true}]}},
  ],
  [
    'a namespace outside discoverySelectors',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {
            discoverySelectors: [
              {matchExpressions: [{key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['other']}]},
            ],
          }),
        ],
        namespaces: [
          ...healthy.namespaces,
          {name: 'other', labels: {'kubernetes.io/metadata.name': 'other'}, terminating: false},
        ],
      },
    },
  ],
  [
    'namespaces outside discoverySelectors whose labels turn injection off or name another control plane',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {
            discoverySelectors: [{matchExpressions: [{key: 'theirs', operator: 'DoesNotExist'}]}],
          }),
        ],
        namespaces: [
          ...healthy.namespaces,
          ...(
            [
              {'istio-injection': 'disabled', 'istio.io/rev': 'default'},
              {'istio.io/rev': 'other-mesh'},
              {'kubernetes.io/metadata.name': 'plain'},
            ] as const
          ).map((labels, index) => ({
            name: `theirs-${String(index)}`,
            labels: {...labels, theirs: 'yes'},
            terminating: false,
          })),
        ],
      },
    },
  ],
  [
    'a control plane in another namespace that serves other namespaces',
    {cluster1: {otherControlPlanes: [{...otherControlPlane, discoverySelectors: [{matchLabels: {theirs: 'yes'}}]}]}},
  ],
  [
    'a control plane in another namespace whose bundles have another name',
    {cluster1: {otherControlPlanes: [{...otherControlPlane, bundleName: 'other-roots'}]}},
  ],
  [
    'a Deployment of an istiod in another namespace that manages another cluster',
    {cluster1: {otherControlPlanes: [{...otherControlPlane, isWriting: false}]}},
  ],
  [
    'such a Deployment, when the own istiod has just started and written the bundle',
    {
      cluster1: {
        otherControlPlanes: [{...otherControlPlane, isWriting: false}],
        bundles: healthy.bundles.map((one) => ({...one, writtenAt: now})),
      },
    },
  ],
  [
    'addresses of the own istiod, in every notation',
    {
      cluster1: {
        proxyCas: [
          {
            injector: 'ConfigMap istio-sidecar-injector',
            addresses: [
              'istiod.istio-system.svc:15012',
              'https://istiod-canary.istio-system.svc.cluster.local:15012',
              'istiod-remote.istio-system:15012',
              '192.0.2.1:15012',
            ].map((value) => ({name: 'values.global.caAddress', object: 'ConfigMap istio-sidecar-injector', value})),
            providers: [{name: 'proxyMetadata CA_PROVIDER', object: 'ConfigMap istio', value: 'Citadel'}],
            istiodHosts: ['192.0.2.1'],
          },
        ],
      },
    },
  ],
  [
    'kube-system without a bundle before 1.21',
    {
      cluster1: {
        controlPlanes: [controlPlane('cluster1', {version: {major: 1, minor: 20}})],
        bundles: healthyBundles.filter(({namespace}) => namespace !== 'kube-system'),
      },
    },
  ],
  [
    'two declared revisions',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1'),
          controlPlane('cluster1', {revision: 'canary', workload: workload('istiod-canary')}),
        ],
        servedChains: new PerPod([
          {name: 'istiod-1', observed: known(servedChain('cluster1'))},
          {name: 'istiod-canary-1', observed: known(servedChain('cluster1'))},
        ]),
      },
    },
  ],
  ['a leftover root of an earlier self-signed istiod', {cluster1: {selfSignedRoot: foreignRoot}}],
  [
    'a self-signed root that is trusted on purpose',
    {
      cluster1: {
        selfSignedRoot: foreignRoot,
        pushedTrust: {
          from: 'Secret cacerts',
          bundle: bundleText,
          roots: [root.fingerprint, foreignRoot.fingerprint],
          certificate: certificate('ca of cluster1'),
        },
        bundles: healthyBundles.map((bundle) => ({...bundle, roots: [root.fingerprint, foreignRoot.fingerprint]})),
      },
    },
  ],
  ['an istiod that is not a CA', {cluster1: bare(noCa)}],
  [
    'an istiod before 1.24, whose metrics reflect its start',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: metricsOf({version: '1.23.6', caExpiry: daysFromNow(1)}),
    },
  ],
  ['an istiod that signs with its root', {cluster1: bare(signsWithRoot)}],
  ['a new istiod without requests', {cluster1: metricsOf({requests: 0, issued: 0})}],
  ['a token that expired while istiod restarted', {cluster1: metricsOf({requests: 2, issued: 0, unauthenticated: 2})}],
  ['an unauthenticated caller among others', {cluster1: metricsOf({requests: 90, issued: 7, unauthenticated: 83})}],
  ['a counter of errors at zero', {cluster1: metricsOf({signingErrors: [{reason: 'CSR_ERROR', count: 0}]})}],
  ['an istiod without /debug/clusterz', {cluster1: clustersOf({listsItself: false})}],
  [
    'an istiod that does not list its own cluster yet',
    {cluster1: clustersOf({known: [readCluster('cluster2')], listsItself: false})},
  ],
  ['a gateway without a network', {cluster1: {gateways: [gateway({network: ''})]}}],
  ['a cluster CA from cert-manager (kubernetes.io/tls)', {cluster1: {cacerts: cacertsOf(clusterCa('cluster1'))}}],
  [
    'bundles that differ during a rotation and still accept each other',
    {
      cluster1: {
        liveRoots: liveRoots('cluster1', 'foreign'),
        webhooks: webhooks({roots: fingerprintsOf(liveRoots('foreign', 'cluster1'))}),
      },
    },
  ],
  ['proxies to which istiod pushes roots', {cluster1: {proxyRoots: {state: 'pushed', changedAt: now, proxies: 3}}}],
  [
    'webhooks of an istiod with an externally signed certificate',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {workload: workload('istiod', {env: {PILOT_CERT_PROVIDER: 'custom'}})}),
        ],
        webhooks: webhooks({roots: ['ff'.repeat(32)]}),
      },
    },
  ],
  ...(
    [
      ['ambient mode on several networks', {}],
      ['with sidecars, and every Service global', {allServicesGlobal: true}],
    ] as const
  ).map(([name, change], index) => {
    const env = {PILOT_ENABLE_AMBIENT: 'true', AMBIENT_ENABLE_MULTI_NETWORK: 'true'};
    const ofCluster = (cluster: 'cluster1' | 'cluster2') => ({
      ztunnelPods: ['ztunnel-1'],
      controlPlanes: [
        controlPlane(cluster, {network: networks[cluster], workload: workload('istiod', {env}), ...change}),
      ],
      namespaces: clusterValues(cluster).namespaces.map((one) =>
        index === 1 && one.name === 'shop' ? {...one, labels: {'istio-injection': 'enabled'}} : one,
      ),
    });
    return [name, {cluster1: ofCluster('cluster1'), cluster2: ofCluster('cluster2')}] as const;
  }),
  [
    'a ztunnel of another control plane beside an istiod without ambient mode',
    {cluster1: {ztunnelPods: ['ztunnel-1']}},
  ],
  ['a mirror of the images', {cluster1: {hubs: [{hub: 'mirror.example/registry.istio.io/release', usedBy: 'istiod'}]}}],
  ['an install.yaml from another source', {cluster1: {installFile: {state: 'foreign'}}}],
  ...healthyDiscovery,
];

describe('no false alarm', () => {
  it.each(healthyCases)('for %s', (_, overrides) => {
    expect(failures(overrides)).toEqual([]);
  });
});
