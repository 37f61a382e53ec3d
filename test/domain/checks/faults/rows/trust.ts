import {PerPod} from '../../../../../src/domain/facts/facts.js';
import {known} from '../../../../../src/domain/observed.js';
import {
  certificate,
  cacertsOf,
  clusterCa,
  daysFromNow,
  fingerprintsOf,
  liveRoots,
  realChain,
  servedChain,
  webhooks,
} from '../../healthy.js';
import {foreign, foreignRoot, healthyBundles, metricsOf, type Fault} from '../builders.js';

/** Trust: MESH3xx. */
export const trustFaults: readonly Fault[] = [
  ['cacerts is not there', {cluster1: {cacerts: 'absent', pushedTrust: 'absent'}}, ['MESH301 error']],
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
    'a left-over tls.crt wins',
    {
      cluster1: {
        cacerts: cacertsOf(clusterCa('cluster1'), {differences: [{part: 'keys', wanted: [], found: ['ca-key.pem']}]}),
      },
    },
    ['MESH301 error'],
  ],
  [
    'the key in cacerts belongs to another certificate',
    {cluster1: {cacerts: cacertsOf(clusterCa('cluster1', {key: 'different'}))}},
    ['MESH301 error'],
  ],
  [
    'the cluster CA in the cluster has expired, the new one on disk was not pushed',
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
    'one namespace has no bundle and another one an old one',
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
    'one of two istiods serves the old CA',
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
    'an istiod serves certificates that do not sign one another',
    {
      cluster1: {
        servedChains: new PerPod([{name: 'istiod-1', observed: known({...servedChain('cluster1'), linked: false})}]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'an istiod serves a bare certificate',
    {
      cluster1: {
        servedChains: new PerPod([
          {
            name: 'istiod-1',
            observed: known({chain: [certificate('leaf')], certificates: realChain('cluster1').slice(0, 1), linked: true}),
          },
        ]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'istiod runs with a root of its own',
    {
      cluster1: {
        selfSignedRoot: foreignRoot,
        bundles: healthyBundles.map((bundle) => ({...bundle, text: 'own', roots: [foreignRoot.fingerprint]})),
        servedChains: new PerPod([
          {
            name: 'istiod-1',
            observed: known({chain: [certificate('leaf'), foreignRoot], certificates: realChain('foreign'), linked: true}),
          },
        ]),
      },
    },
    ['MESH304 error'],
  ],
  [
    'a CA above the one in a cluster ends, and there are no files of it here',
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
    'the CA in a cluster without files here is about to expire',
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
    'a caBundle holds a root besides those that istiod has loaded',
    {
      cluster1: {
        webhooks: webhooks({roots: [...fingerprintsOf(liveRoots('cluster1')), 'ff'.repeat(32)]}).slice(0, 1),
      },
    },
    ['MESH306 warning'],
  ],
  ['the injector has no caBundle', {cluster1: {webhooks: webhooks('empty').slice(0, 1)}}, ['MESH306 error']],
  [
    'one cluster publishes the root of another mesh, and all that files and Secrets say is well',
    {cluster1: {liveRoots: liveRoots('foreign'), webhooks: []}},
    ['MESH307 error'],
  ],
  [
    'one istiod of two signs under the root of another mesh',
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
    'istiod reports that its CA ends at another time',
    {cluster1: metricsOf({caExpiry: daysFromNow(100)})},
    ['MESH308 error'],
  ],
  [
    'one of two istiods reports that its root ends at another time',
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
    'istiod has refused everybody who asked',
    {cluster1: metricsOf({requests: 12, issued: 0, unauthenticated: 12})},
    ['MESH309 warning'],
  ],
];
