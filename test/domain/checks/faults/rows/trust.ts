import {PerPod} from '../../../../../src/domain/facts/facts.js';
import {known} from '../../../../../src/domain/observed.js';
import {
  bundleText,
  certificate,
  cacertsOf,
  clusterCa,
  controlPlane,
  daysFromNow,
  fingerprintsOf,
  liveRoots,
  realChain,
  servedChain,
  webhooks,
  workload,
} from '../../healthy.js';
import {foreign, foreignRoot, healthy, healthyBundles, metricsOf, type Fault} from '../builders.js';

/** The namespaces of cluster1, with these labels of shop. */
const withLabels = (labels: Record<string, string>) =>
  healthy.namespaces.map((one) => (one.name === 'shop' ? {...one, labels} : one));

/** Namespace shop has these labels and this bundle, and discoverySelectors select only the others. */
function outsideSelectors(labels: Record<string, string>, text: string | undefined) {
  return {
    controlPlanes: [
      controlPlane('cluster1', {
        discoverySelectors: [
          {
            matchExpressions: [
              {key: 'istio-injection', operator: 'DoesNotExist' as const},
              {key: 'istio.io/rev', operator: 'DoesNotExist' as const},
            ],
          },
        ],
      }),
    ],
    namespaces: withLabels(labels),
    bundles: healthyBundles
      .filter(({namespace}) => namespace !== 'shop' || text !== undefined)
      .map((one) => (one.namespace === 'shop' ? {...one, text: text ?? ''} : one)),
  };
}

/** Trust: MESH3xx. */
export const trustFaults: readonly Fault[] = [
  ['cacerts does not exist', {cluster1: {cacerts: 'absent', pushedTrust: 'absent'}}, ['MESH301 error']],
  [
    'istiod reads another directory than the one with the volume',
    {
      cluster1: {
        caSources: [{istiod: 'istiod', source: {from: 'nothing', directory: '/var/ca', cacertsAt: '/etc/cacerts'}}],
        cacerts: 'absent',
      },
    },
    ['MESH301 error'],
  ],
  [
    'the other Secret that istiod mounts does not exist',
    {cluster1: {caSources: [{istiod: 'istiod', source: {from: 'secret', name: 'mesh-ca'}}], cacerts: 'absent'}},
    ['MESH301 error'],
  ],
  [
    'cacerts holds another CA',
    {
      cluster1: {
        cacerts: cacertsOf(clusterCa('cluster1', foreign), {
          differences: [
            {part: 'clusterCa', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]},
            {part: 'roots', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]},
          ],
        }),
      },
    },
    ['MESH301 error'],
  ],
  [
    'a leftover tls.crt takes precedence',
    {
      cluster1: {
        cacerts: cacertsOf(clusterCa('cluster1'), {
          layout: 'tls',
          differences: [{part: 'keys', wanted: [], found: ['ca-key.pem']}],
        }),
      },
    },
    ['MESH301 error'],
  ],
  ...(
    [
      [['README.md', 'cluster-ca.csr'], 'warning'],
      [['ca.crt'], 'warning'],
      [['tls.key'], 'error'],
      [['istio-generated'], 'error'],
    ] as const
  ).map(([keys, severity]): Fault => [
    `cacerts also holds ${keys.join(' and ')}`,
    {
      cluster1: {
        cacerts: cacertsOf(clusterCa('cluster1'), {differences: [{part: 'keys', wanted: [], found: [...keys]}]}),
      },
    },
    [`MESH301 ${severity}`],
  ]),
  [
    'the key in cacerts belongs to another certificate',
    {cluster1: {cacerts: cacertsOf(clusterCa('cluster1', {key: 'different'}))}},
    ['MESH301 error'],
  ],
  [
    'the cluster CA in the cluster has expired, and the new one was not pushed',
    {
      cluster1: {
        cacerts: cacertsOf(
          clusterCa('cluster1', {
            certificate: certificate('old', {notBefore: daysFromNow(-730), notAfter: daysFromNow(-1)}),
          }),
          {differences: [{part: 'clusterCa', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]}]},
        ),
      },
    },
    ['MESH301 error'],
  ],
  [
    'istiod has not loaded the bundle',
    {cluster1: {bundles: healthyBundles.map((bundle) => ({...bundle, text: 'old'}))}},
    ['MESH302 error'],
  ],
  [
    'one namespace has no bundle, and another an old one',
    {
      cluster1: {
        bundles: healthyBundles
          .filter(({namespace}) => namespace !== 'shop')
          .map((bundle) => (bundle.namespace === 'default' ? {...bundle, text: 'old'} : bundle)),
      },
    },
    ['MESH302 error', 'MESH302 error'],
  ],
  [
    'an injected namespace outside discoverySelectors has no bundle',
    {cluster1: outsideSelectors({'istio-injection': 'enabled'}, undefined)},
    ['MESH302 error'],
  ],
  [
    'an injected namespace outside discoverySelectors keeps an old bundle',
    {cluster1: outsideSelectors({'istio.io/rev': 'default'}, 'old')},
    ['MESH302 error'],
  ],
  [
    'istiod does not update the bundle of an injected namespace outside discoverySelectors',
    {cluster1: outsideSelectors({'istio-injection': 'enabled'}, bundleText)},
    ['MESH302 warning'],
  ],
  [
    'a namespace outside discoverySelectors is injected by a revision tag, and has no bundle',
    {
      cluster1: {
        ...outsideSelectors({'istio.io/rev': 'prod'}, undefined),
        webhooks: [...webhooks(), {...webhooks()[0], name: 'istio-revision-tag-prod', tag: 'prod'}],
      },
    },
    ['MESH302 error'],
  ],
  [
    'the revision of an injected namespace serves it, another one does not, and it has no bundle',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1'),
          controlPlane('cluster1', {
            revision: 'canary',
            workload: workload('istiod-canary'),
            discoverySelectors: [{matchExpressions: [{key: 'istio-injection', operator: 'DoesNotExist'}]}],
          }),
        ],
        namespaces: withLabels({'istio-injection': 'enabled'}),
        bundles: healthyBundles.filter(({namespace}) => namespace !== 'shop'),
        servedChains: new PerPod([
          {name: 'istiod-1', observed: known(servedChain('cluster1'))},
          {name: 'istiod-canary-1', observed: known(servedChain('cluster1'))},
        ]),
      },
    },
    ['MESH302 error'],
  ],
  [
    'two istiods sign with different CAs, and nothing was pushed',
    {
      cluster1: {
        pushedTrust: 'absent',
        servedChains: new PerPod([
          {name: 'istiod-1', observed: known(servedChain('cluster1'))},
          {name: 'istiod-2', observed: known(servedChain('cluster2'))},
        ]),
      },
    },
    ['MESH303 error', 'MESH303 error'],
  ],
  [
    'one of two istiods presents the old CA',
    {
      cluster1: {
        servedChains: new PerPod([
          {name: 'istiod-1', observed: known(servedChain('cluster1'))},
          {name: 'istiod-2', observed: known(servedChain('cluster2'))},
        ]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'an istiod presents certificates that do not form a chain',
    {
      cluster1: {
        servedChains: new PerPod([{name: 'istiod-1', observed: known({...servedChain('cluster1'), linked: false})}]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'an istiod presents a certificate without its issuer',
    {
      cluster1: {
        servedChains: new PerPod([
          {
            name: 'istiod-1',
            observed: known({
              chain: [certificate('leaf')],
              certificates: realChain('cluster1').slice(0, 1),
              linked: true,
            }),
          },
        ]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'istiod runs with a self-signed root',
    {
      cluster1: {
        selfSignedRoot: foreignRoot,
        bundles: healthyBundles.map((bundle) => ({...bundle, text: 'own', roots: [foreignRoot.fingerprint]})),
        servedChains: new PerPod([
          {
            name: 'istiod-1',
            observed: known({
              chain: [certificate('leaf'), foreignRoot],
              certificates: realChain('foreign'),
              linked: true,
            }),
          },
        ]),
      },
    },
    ['MESH304 error'],
  ],
  [
    'a CA above the cluster CA in the cluster expires soon',
    {
      cluster1: {
        cacerts: cacertsOf(
          clusterCa('cluster1', {
            between: [certificate('policy CA', {notBefore: daysFromNow(-725), notAfter: daysFromNow(5)})],
          }),
        ),
      },
    },
    ['MESH305 error'],
  ],
  [
    'the cluster CA in the cluster expires soon',
    {
      cluster1: {
        cacerts: cacertsOf(
          clusterCa('cluster1', {
            certificate: certificate('ca of cluster1', {notBefore: daysFromNow(-725), notAfter: daysFromNow(5)}),
          }),
        ),
      },
    },
    ['MESH305 error'],
  ],
  [
    'the caBundle of the injector holds another root',
    {cluster1: {webhooks: webhooks({roots: ['ff'.repeat(32)]})}},
    ['MESH306 error', 'MESH306 error'],
  ],
  [
    'a caBundle holds an additional root that istiod has not loaded',
    {
      cluster1: {
        webhooks: webhooks({roots: [...fingerprintsOf(liveRoots('cluster1')), 'ff'.repeat(32)]}).slice(0, 1),
      },
    },
    ['MESH306 warning'],
  ],
  ['the injector has no caBundle', {cluster1: {webhooks: webhooks('empty').slice(0, 1)}}, ['MESH306 error']],
  [
    'one cluster publishes the root of another mesh, although files and Secrets are right',
    {cluster1: {liveRoots: liveRoots('foreign'), webhooks: []}},
    ['MESH307 error'],
  ],
  [
    'one of two istiods signs under the root of another mesh',
    {
      cluster2: {
        pushedTrust: 'absent',
        servedChains: new PerPod([
          {name: 'istiod-1', observed: known(servedChain('cluster2'))},
          {name: 'istiod-2', observed: known({...servedChain('cluster2'), certificates: realChain('foreign')})},
        ]),
      },
    },
    ['MESH307 error'],
  ],
  [
    'istiod reports a different expiry of its CA',
    {cluster1: metricsOf({caExpiry: daysFromNow(100)})},
    ['MESH308 error'],
  ],
  [
    'one of two istiods reports a different expiry of its root',
    {cluster1: metricsOf({}, {rootExpiry: daysFromNow(100)})},
    ['MESH308 error'],
  ],
  [
    'both istiods report a CA that is not the pushed one',
    {cluster1: metricsOf({caExpiry: daysFromNow(1)}, {caExpiry: daysFromNow(1), rootExpiry: daysFromNow(1)})},
    ['MESH308 error', 'MESH308 error', 'MESH308 error'],
  ],
  [
    'istiod could not sign',
    {cluster1: metricsOf({signingErrors: [{reason: 'TTL_ERROR', count: 2}]})},
    ['MESH309 warning'],
  ],
  [
    'istiod has rejected all requests',
    {cluster1: metricsOf({requests: 12, issued: 0, unauthenticated: 12})},
    ['MESH309 warning'],
  ],
  [
    'Secret cacerts publishes a private key',
    {cluster1: {publishedKeys: ['root-cert.pem in Secret istio-system/cacerts']}},
    ['MESH311 error'],
  ],
  [
    'a ConfigMap publishes a private key',
    {cluster1: {publishedKeys: ['ConfigMap istio-system/istio']}},
    ['MESH311 error'],
  ],
  [
    'a root key is left in istio-ca-secret',
    {cluster1: {rootKeysInSecrets: [{secret: 'istio-ca-secret', entry: 'ca-key.pem'}]}},
    ['MESH312 warning'],
  ],
  [
    'a root key is left in cacerts-previous',
    {cluster1: {rootKeysInSecrets: [{secret: 'cacerts-previous', entry: 'ca-key.pem'}]}},
    ['MESH312 warning'],
  ],
  [
    'istiod signs with a root key',
    {cluster1: {rootKeysInSecrets: [{secret: 'istio-ca-secret', entry: 'ca-key.pem', inUse: true}]}},
    ['MESH312 warning'],
  ],
  [
    'both Secrets hold a root key, and no other copy is known',
    {
      meshValues: {rootKey: {protection: 'absent'}},
      cluster1: {
        rootKeysInSecrets: [
          {secret: 'cacerts', entry: 'note'},
          {secret: 'istio-ca-secret', entry: 'ca-key.pem'},
        ],
      },
    },
    ['MESH312 warning', 'MESH312 warning'],
  ],
];
