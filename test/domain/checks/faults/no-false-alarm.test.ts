import {describe, expect, it} from 'vitest';
import {PerPod, type IstiodMetrics} from '../../../../src/domain/facts/facts.js';
import {known} from '../../../../src/domain/observed.js';
import {
  bundleText,
  certificate,
  cacertsOf,
  clusterCa,
  controlPlane,
  daysFromNow,
  fingerprintsOf,
  gateway,
  istiodMetrics,
  liveRoots,
  now,
  pod,
  root,
  servedChain,
  webhooks,
  workload,
  type Spoilt,
} from '../healthy.js';
import {bad, clustersOf, foreignRoot, healthy, healthyBundles, metricsOf} from './builders.js';

const {version, unauthenticated, signingErrors, rootExpiry: rootEnd, requests, issued} = istiodMetrics('cluster1');
const noCa = {version, unauthenticated, signingErrors, requests: 0, issued: 0};
const signsWithRoot = {version, unauthenticated, signingErrors, requests, issued, ...(rootEnd && {rootEnd})};
const bare = (metrics: IstiodMetrics) => ({istiodMetrics: new PerPod([{name: 'istiod-1', observed: known(metrics)}])});

/** What looks odd and is well. */
const healthyThings: readonly (readonly [string, Spoilt])[] = [
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
    'both roots in every bundle while a root is rotated',
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
    'finished, evicted and terminating pods',
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
  ['a left-over root of an earlier self-signed istiod', {cluster1: {selfSignedRoot: foreignRoot}}],
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
  ['an istiod that runs no CA', {cluster1: bare(noCa)}],
  [
    'an istiod before 1.24, whose metrics are as of its start',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: metricsOf({version: '1.23.6', caExpiry: daysFromNow(1)}),
    },
  ],
  ['an istiod that signs with its root', {cluster1: bare(signsWithRoot)}],
  ['a new istiod that nobody has asked yet', {cluster1: metricsOf({requests: 0, issued: 0})}],
  ['a token that ended while istiod restarted', {cluster1: metricsOf({requests: 2, issued: 0, unauthenticated: 2})}],
  ['a stranger among callers', {cluster1: metricsOf({requests: 90, issued: 7, unauthenticated: 83})}],
  ['a counter of errors at zero', {cluster1: metricsOf({signingErrors: [{reason: 'CSR_ERROR', count: 0}]})}],
  ['an istiod without /debug/clusterz', {cluster1: clustersOf({listsItself: false})}],
  ['an istiod that does not list its own cluster yet', {cluster1: clustersOf({known: [], listsItself: false})}],
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
  ['proxies that istiod pushes roots to', {cluster1: {proxyRoots: {state: 'pushed', changedAt: now, proxies: 3}}}],
  [
    'webhooks of an istiod whose certificate somebody else signs',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {workload: workload('istiod', {env: {PILOT_CERT_PROVIDER: 'custom'}})}),
        ],
        webhooks: webhooks({roots: ['ff'.repeat(32)]}),
      },
    },
  ],
  ['an install.yaml of somebody else', {cluster1: {installFile: {state: 'foreign'}}}],
];

describe('no false alarm', () => {
  it.each(healthyThings)('for %s', (_, spoilt) => {
    expect(bad(spoilt)).toEqual([]);
  });
});
