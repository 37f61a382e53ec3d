import {describe, expect, it} from 'vitest';
import {Parts} from '../../../src/domain/checks/facts.js';
import type {IstiodClusters, IstiodMetrics, KeyInHistory} from '../../../src/domain/checks/facts.js';
import {judge} from '../../../src/domain/checks/judge.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {RowResult} from '../../../src/domain/checks/report.js';
import {known} from '../../../src/domain/observed.js';
import {
  bundleText,
  certificate,
  clusterCa,
  clusterValues,
  controlPlane,
  coreRule,
  daysFromNow,
  evidence,
  fingerprintsOf,
  gateway,
  healthyGrants,
  istiodClusters,
  istiodMetrics,
  liveRoots,
  mesh,
  meshValues,
  networkGateway,
  now,
  pod,
  rbac,
  realChain,
  root,
  servedChain,
  webhooks,
  workload,
} from './healthy.js';
import type {Spoilt} from './healthy.js';

const notKept: Spoilt = {mesh: {trust: {...mesh.trust, keepClusterKeys: false}}};

/** One key in git's history. */
function history(change: Partial<KeyInHistory>) {
  return {
    keys: [{path: 'root-key.pem', commit: '0123456789ab', protection: 'clear' as const, ...change}],
    more: 0,
    shallow: false,
  };
}

/** id and result of each row that is neither ok nor skipped, consequences left out. */
function bad(spoilt: Spoilt): readonly string[] {
  return judge(checks, evidence(spoilt))
    .checks.filter(({result, impliedBy}) => result !== 'ok' && result !== 'skipped' && impliedBy === undefined)
    .map(({id, result}) => `${id} ${result}`);
}

/** The result of one check for cluster1 or the mesh. */
function resultOf(id: string, spoilt: Spoilt): RowResult | undefined {
  return judge(checks, evidence(spoilt)).checks.find((row) => row.id === id && row.cluster !== 'cluster2')?.result;
}

const foreignRoot = certificate('foreign root', {notAfter: daysFromNow(3640)});
const foreign = {roots: [foreignRoot], anchor: foreignRoot.fingerprint, certificate: certificate('foreign CA')};
const healthy = clusterValues('cluster1');
const running = healthy.bundles;
const contents = healthy.cacertsContents;
if (contents === 'absent') throw new Error('a healthy cluster has Secret cacerts');
const {journal} = meshValues();
const noFiles = {missing: ['ca-cert.pem'], problems: [], key: 'absent', roots: []} as const;

/** The cluster CA of one cluster, in files and in the other's directory. */
const misplaced = (owner: string) => ({
  caFiles: clusterCa('cluster1', {certificate: certificate(`moved ca of ${owner}`, {locality: owner})}),
});

/** What one istiod of cluster1, or several, say of themselves. */
const metricsOf = (...changes: readonly Parameters<typeof istiodMetrics>[1][]) => ({
  istiodMetrics: new Parts(
    changes.map((change, at) => ({
      name: `istiod-${String(at + 1)}`,
      seen: known(istiodMetrics('cluster1', change)),
    })),
  ),
});
const clustersOf = (...values: readonly IstiodClusters[]) => ({
  istiodClusters: new Parts(values.map((value, at) => ({name: `istiod-${String(at + 1)}`, seen: known(value)}))),
});
const {version, unauthenticated, signingErrors, rootEnd, requests, issued} = istiodMetrics('cluster1');
const noCa = {version, unauthenticated, signingErrors, requests: 0, issued: 0};
const signsWithRoot = {version, unauthenticated, signingErrors, requests, issued, ...(rootEnd && {rootEnd})};
const bare = (metrics: IstiodMetrics) => ({istiodMetrics: new Parts([{name: 'istiod-1', seen: known(metrics)}])});
const remote = (id: string, status: string) => ({id, secretName: `istio-system/istio-remote-secret-${id}`, status});

const alice = {kind: 'User', name: 'alice'};
const everybody = {kind: 'Group', name: 'system:authenticated'};
/** Somebody holds a rule in Istio's namespace of cluster1. */
const granted = (subject: typeof alice, ...rules: readonly object[]): Spoilt => ({
  cluster1: {rbac: rbac(...healthyGrants, {subjects: [subject], rules, namespace: 'istio-system'})},
});

/** Each fault, and the findings it is told by. */
const faults: readonly (readonly [string, Spoilt, readonly string[]])[] = [
  ['somebody may read Secret cacerts', granted(alice, coreRule(['get'], ['secrets'], 'cacerts')), ['MESH206 warning']],
  [
    'everybody who is authenticated may list Secrets of all namespaces',
    {cluster1: {rbac: rbac(...healthyGrants, {subjects: [everybody], rules: [coreRule(['list'], ['secrets'])]})}},
    ['MESH206 warning'],
  ],
  ['somebody may exec into istiod', granted(alice, coreRule(['create'], ['pods/exec'])), ['MESH207 warning']],
  [
    'somebody may put another CA into the Secret',
    granted(alice, coreRule(['update'], ['secrets'])),
    ['MESH207 warning'],
  ],
  [
    'somebody may read the remote secret of another cluster',
    granted(alice, coreRule(['get'], ['secrets'], 'istio-remote-secret-cluster2')),
    ['MESH208 warning'],
  ],
  [
    'a remote secret holds credentials that say nothing of their holder',
    {cluster1: {remoteCredentials: [{secret: 'istio-remote-secret-cluster2', cluster: 'cluster2'}]}},
    ['MESH208 warning'],
  ],
  ['a directory holds the CA of another cluster', {cluster1: misplaced('cluster2')}, ['MESH112 error']],
  [
    'istiod reports that its CA ends at another time',
    {cluster1: metricsOf({caEnd: daysFromNow(100)})},
    ['MESH308 error'],
  ],
  [
    'one of two istiods reports that its root ends at another time',
    {cluster1: metricsOf({}, {rootEnd: daysFromNow(100)})},
    ['MESH308 error'],
  ],
  [
    'both istiods report a CA that is not the pushed one',
    {cluster1: metricsOf({caEnd: daysFromNow(1)}, {caEnd: daysFromNow(1), rootEnd: daysFromNow(1)})},
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
  [
    'istiod has not synced its own cluster',
    {cluster1: clustersOf({known: [{id: 'cluster1', secretName: '', status: 'syncing'}], listsItself: true})},
    ['MESH412 error'],
  ],
  ...['syncing', 'timeout', 'closed', 'of a later version'].map(
    (status): readonly [string, Spoilt, readonly string[]] => [
      `one of two istiods says ${status} of a peer`,
      {
        cluster1: clustersOf(
          istiodClusters('cluster1', remote('cluster2', 'synced')),
          istiodClusters('cluster1', remote('cluster2', status)),
        ),
      },
      ['MESH412 error'],
    ],
  ),
  [
    'a running istiod has another name than its Deployment declares',
    {cluster1: clustersOf(istiodClusters('Kubernetes'))},
    ['MESH412 error'],
  ],
  [
    'a running istiod does not list its own cluster',
    {cluster1: clustersOf({known: [], listsItself: true})},
    ['MESH412 error'],
  ],
  [
    'two istiods sign with different CAs, and nothing was pushed',
    {
      cluster1: {
        pushedTrust: 'absent',
        servedChains: new Parts([
          {name: 'istiod-1', seen: known(servedChain('cluster1'))},
          {name: 'istiod-2', seen: known(servedChain('cluster2'))},
        ]),
      },
    },
    ['MESH303 error', 'MESH303 error'],
  ],
  [
    'mesh.yaml has two mistakes',
    {meshValues: {declaration: {present: true, problems: ['mesh.yaml:3:1: x', 'mesh.yaml:4:1: y'], clusters: 0}}},
    ['MESH101 error', 'MESH101 error'],
  ],
  [
    'a certificate file is missing',
    {cluster1: {caFiles: {missing: ['cert-chain.pem'], problems: [], key: 'matches', roots: []}}},
    ['MESH102 error'],
  ],
  [
    'the chain is in the wrong order',
    {cluster1: {caFiles: clusterCa('cluster1', {problems: [{severity: 'error', message: 'wrong order'}]})}},
    ['MESH103 error'],
  ],
  [
    'something about the chain is unusual',
    {cluster1: {caFiles: clusterCa('cluster1', {problems: [{severity: 'warning', message: 'ed25519'}]})}},
    ['MESH103 warning'],
  ],
  [
    'the key is of another certificate',
    {cluster1: {caFiles: clusterCa('cluster1', {key: 'different'})}},
    ['MESH104 error'],
  ],
  [
    'the key is encrypted',
    {cluster1: {caFiles: clusterCa('cluster1', {key: 'unusable', keyProblem: 'it is encrypted'})}},
    ['MESH104 error'],
  ],
  [
    'one cluster has another root, in files and cluster',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', foreign),
        cacerts: {...clusterCa('cluster1', foreign), differences: []},
        pushedTrust: {
          from: 'Secret cacerts',
          bundle: 'foreign',
          roots: [foreignRoot.fingerprint],
          certificate: foreign.certificate,
        },
        bundles: running.map((bundle) => ({...bundle, text: 'foreign', roots: [foreignRoot.fingerprint]})),
        servedChains: new Parts([
          {
            name: 'istiod-1',
            seen: known({
              chain: [certificate('leaf'), foreign.certificate, foreignRoot],
              certificates: realChain('foreign'),
              linked: true,
            }),
          },
        ]),
        liveRoots: liveRoots('foreign'),
        webhooks: webhooks({roots: fingerprintsOf(liveRoots('foreign'))}),
      },
    },
    ['MESH105 error'],
  ],
  [
    'a key can be read by others',
    {meshValues: {fileModes: [{path: 'cluster1/ca-key.pem', kind: 'key', mode: 0o644}]}},
    ['MESH106 error'],
  ],
  [
    'a directory with a key can be read by others',
    {meshValues: {fileModes: [{path: 'cluster1', kind: 'directory', mode: 0o755}]}},
    ['MESH106 warning'],
  ],
  [
    'the root key is weakly encrypted',
    {meshValues: {rootKey: {protection: 'encrypted', weakness: 'aes-256-cbc and pbkdf2-sha256 2048 rounds'}}},
    ['MESH107 warning'],
  ],
  [
    "a root's key lies in the clear under another name",
    {meshValues: {rootKey: {protection: 'absent', copies: [{path: 'k.pem', of: 'root', alone: true}]}}},
    ['MESH107 warning'],
  ],
  ['the root key is in the clear', {meshValues: {rootKey: {protection: 'clear'}}}, ['MESH107 warning']],
  [
    'the cluster CA on disk ends in 60 of 730 days',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notBefore: daysFromNow(-670), notAfter: daysFromNow(60)}),
        }),
      },
    },
    ['MESH108 error'],
  ],
  [
    'the cluster CA on disk ends in 200 of 730 days',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notBefore: daysFromNow(-530), notAfter: daysFromNow(200)}),
        }),
      },
    },
    ['MESH108 warning'],
  ],
  [
    'the root on disk ends in a month',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notAfter: daysFromNow(30), notBefore: daysFromNow(0)}),
          roots: [{...root, notBefore: daysFromNow(-3620), notAfter: daysFromNow(30)}],
        }),
      },
    },
    ['MESH108 error'],
  ],
  [
    'the cluster CA outlives its root by a month',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {certificate: certificate('ca of cluster1', {notAfter: daysFromNow(3670)})}),
      },
    },
    ['MESH109 warning'],
  ],
  [
    'a CA between the cluster CA and its root ends in five days',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notAfter: daysFromNow(5), notBefore: daysFromNow(0)}),
          between: [certificate('policy CA', {notBefore: daysFromNow(-700), notAfter: daysFromNow(5)})],
        }),
      },
    },
    // Both end then.
    ['MESH108 error', 'MESH108 error'],
  ],
  [
    'the cluster CA outlives a CA between it and its root',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notAfter: daysFromNow(3000)}),
          between: [certificate('policy CA', {notAfter: daysFromNow(2000)})],
        }),
      },
    },
    ['MESH109 warning'],
  ],
  [
    'a CA above the one in a cluster ends, and there are no files of it here',
    {
      cluster1: {
        cacerts: {
          ...clusterCa('cluster1', {
            between: [certificate('policy CA', {notBefore: daysFromNow(-725), notAfter: daysFromNow(5)})],
          }),
          differences: [],
        },
      },
    },
    ['MESH305 error'],
  ],
  [
    'two clusters have one key, each with a certificate of its own',
    {
      cluster2: {
        caFiles: clusterCa('cluster2', {
          certificate: certificate('ca of cluster2', {
            locality: 'cluster2',
            spki: certificate('ca of cluster1').spki,
          }),
        }),
      },
    },
    ['MESH110 error'],
  ],
  [
    "a cluster CA has the root's key",
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {locality: 'cluster1', spki: root.spki}),
        }),
      },
    },
    ['MESH110 error'],
  ],
  ['the root key was committed in the clear', {meshValues: {gitHistory: history({owner: 'root'})}}, ['MESH114 error']],
  [
    'the key of a cluster CA was committed in the clear',
    {meshValues: {gitHistory: history({path: 'cluster1/ca-key.pem', owner: {cluster: 'cluster1'}})}},
    ['MESH114 error'],
  ],
  [
    'an encrypted root key was committed',
    {meshValues: {gitHistory: history({protection: 'encrypted'})}},
    ['MESH114 warning'],
  ],
  [
    'a key that no CA has any more was committed, in a clone that is shallow',
    {meshValues: {gitHistory: {...history({}), shallow: true}}},
    ['MESH114 warning'],
  ],
  [
    'a cluster CA key is kept that the cluster holds',
    {
      mesh: {trust: {...mesh.trust, keepClusterKeys: false}},
      cluster2: {caFiles: clusterCa('cluster2', {key: 'absent'})},
    },
    ['MESH115 warning'],
  ],
  [
    'two clusters have one CA',
    {
      cluster2: {
        caFiles: clusterCa('cluster1'),
        cacerts: {...clusterCa('cluster1'), differences: []},
        pushedTrust: healthy.pushedTrust,
        servedChains: healthy.servedChains,
      },
    },
    ['MESH110 error'],
  ],
  ['install.yaml is stale', {cluster1: {installFile: {state: 'stale', difference: 'line 3'}}}, ['MESH111 warning']],
  ['the context leads to another cluster', {cluster1: {clusterUid: 'other'}}, ['MESH203 error']],
  ['two names lead to one cluster', {cluster1: {clusterUid: 'uid-2'}}, ['MESH204 error']],
  ['cacerts is not there', {cluster1: {cacerts: 'absent', pushedTrust: 'absent'}}, ['MESH301 error']],
  [
    'cacerts holds another CA',
    {
      cluster1: {
        cacerts: {
          ...clusterCa('cluster1', foreign),
          differences: [
            {part: 'clusterCa', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]},
            {part: 'roots', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]},
          ],
        },
      },
    },
    ['MESH301 error'],
  ],
  [
    'a left-over tls.crt wins',
    {cluster1: {cacerts: {...clusterCa('cluster1'), differences: [{part: 'keys', wanted: [], found: ['ca-key.pem']}]}}},
    ['MESH301 error'],
  ],
  [
    'the key in cacerts belongs to another certificate',
    {cluster1: {cacerts: {...clusterCa('cluster1', {key: 'different'}), differences: []}}},
    ['MESH301 error'],
  ],
  [
    'istiod has not loaded the bundle',
    {cluster1: {bundles: running.map((bundle) => ({...bundle, text: 'old'}))}},
    ['MESH302 error'],
  ],
  [
    'one namespace has no bundle and another one an old one',
    {
      cluster1: {
        bundles: running
          .filter(({namespace}) => namespace !== 'shop')
          .map((bundle) => (bundle.namespace === 'default' ? {...bundle, text: 'old'} : bundle)),
      },
    },
    ['MESH302 error', 'MESH302 error'],
  ],
  [
    'one of two istiods serves the old CA',
    {
      cluster1: {
        servedChains: new Parts([
          {name: 'istiod-1', seen: known(servedChain('cluster1'))},
          {name: 'istiod-2', seen: known(servedChain('cluster2'))},
        ]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'an istiod serves certificates that do not sign one another',
    {
      cluster1: {
        servedChains: new Parts([{name: 'istiod-1', seen: known({...servedChain('cluster1'), linked: false})}]),
      },
    },
    ['MESH303 error'],
  ],
  [
    'an istiod serves a bare certificate',
    {
      cluster1: {
        servedChains: new Parts([
          {
            name: 'istiod-1',
            seen: known({chain: [certificate('leaf')], certificates: realChain('cluster1').slice(0, 1), linked: true}),
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
        bundles: running.map((bundle) => ({...bundle, text: 'own', roots: [foreignRoot.fingerprint]})),
        servedChains: new Parts([
          {
            name: 'istiod-1',
            seen: known({chain: [certificate('leaf'), foreignRoot], certificates: realChain('foreign'), linked: true}),
          },
        ]),
      },
    },
    ['MESH304 error'],
  ],
  [
    'the cluster CA in the cluster has expired, the new one on disk was not pushed',
    {
      cluster1: {
        cacerts: {
          ...clusterCa('cluster1', {
            certificate: certificate('old', {notBefore: daysFromNow(-730), notAfter: daysFromNow(-1)}),
          }),
          differences: [{part: 'clusterCa', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]}],
        },
      },
    },
    ['MESH301 error'],
  ],
  [
    'the same cluster CA is about to expire on disk and in the cluster',
    {
      cluster1: (() => {
        const old = certificate('ca of cluster1', {notBefore: daysFromNow(-725), notAfter: daysFromNow(5)});
        return {
          caFiles: clusterCa('cluster1', {certificate: old}),
          cacerts: {...clusterCa('cluster1', {certificate: old}), differences: []},
        };
      })(),
    },
    ['MESH108 error'],
  ],
  [
    'the CA in a cluster without files here is about to expire',
    {
      cluster1: {
        cacerts: {
          ...clusterCa('cluster1', {
            certificate: certificate('ca of cluster1', {notBefore: daysFromNow(-725), notAfter: daysFromNow(5)}),
          }),
          differences: [],
        },
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
        servedChains: new Parts([
          {name: 'istiod-1', seen: known(servedChain('cluster2'))},
          {name: 'istiod-2', seen: known({...servedChain('cluster2'), certificates: realChain('foreign')})},
        ]),
      },
    },
    ['MESH307 error'],
  ],
  [
    'the namespace has no network label',
    {cluster1: {namespaces: healthy.namespaces.map((one) => ({...one, labels: {}}))}},
    ['MESH401 error'],
  ],
  ['there is no istiod', {cluster1: {controlPlanes: [], servedChains: new Parts([])}}, ['MESH402 error']],
  [
    'istiod has no pod at all',
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
  ['clusterName was never set', {cluster1: {controlPlanes: [controlPlane('Kubernetes')]}}, ['MESH404 error']],
  [
    'proxies are told another network',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {network: 'network9'})]}},
    ['MESH405 error'],
  ],
  ['a gateway is on another network', {cluster1: {gateways: [gateway({network: 'network9'})]}}, ['MESH405 error']],
  [
    'proxies are told another mesh',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {meshID: 'other'})]}},
    ['MESH406 error'],
  ],
  [
    'the trust domain is another one',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {trustDomain: 'x.y'})]}},
    ['MESH407 error'],
  ],
  [
    'Kubernetes is older than Istio supports',
    {cluster1: {apiVersion: {gitVersion: 'v1.31.9', major: 1, minor: 31}}},
    ['MESH205 warning'],
  ],
  [
    'istiod runs another version than the declared one',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {tag: '1.30.3', version: {major: 1, minor: 30, patch: 3}})]}},
    ['MESH408 error'],
  ],
  [
    'mesh.yaml wants a root to be replaceable, and istiod was not told so',
    {mesh: {trust: {...mesh.trust, rotationDeclared: true}}},
    ['MESH410 warning', 'MESH410 warning'],
  ],
  [
    'a chain for ambient workloads that this istiod breaks',
    {
      cluster1: {
        ztunnelPods: ['ztunnel-1'],
        controlPlanes: [controlPlane('cluster1', {version: {major: 1, minor: 24, patch: 3}})],
        cacertsContents: {
          ...contents,
          chain: [{subject: 'CN=between', selfSigned: false}, ...contents.chain],
        },
      },
    },
    ['MESH410 error'],
  ],
  [
    'control planes are two minors apart',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: {controlPlanes: [controlPlane('cluster1', {tag: '1.29.6', version: {major: 1, minor: 29, patch: 6}})]},
    },
    ['MESH409 warning'],
  ],
  ['a network has no gateway', {cluster1: {networkGateways: []}}, ['MESH411 error']],
  [
    'the load balancer of a gateway between networks is pending',
    {cluster1: {networkGateways: [networkGateway('network1', {addresses: []})]}},
    ['MESH411 error'],
  ],
  [
    'a line of the journal was changed',
    {
      meshValues: {
        journal: {...journal, faults: [{line: 3, kind: 'changed', message: 'entry a/2 is not what was written'}]},
      },
    },
    ['MESH113 error'],
  ],
  [
    'the journal was written anew',
    {
      cluster1: {
        journalHeads: [
          {where: 'Secret istio-system/cacerts', entry: 'a/4', result: 'rewritten', message: 'another entry a/4'},
        ],
      },
    },
    ['MESH116 error'],
  ],
  [
    "a colleague's push is not in this copy of the journal",
    {
      cluster1: {
        journalHeads: [
          {
            where: 'Secret istio-system/cacerts',
            entry: 'b/1',
            result: 'not-known-here',
            message: 'entry b/1 is not here',
          },
        ],
      },
    },
    ['MESH116 warning'],
  ],
];

describe('directories that changed places', () => {
  const findings = (spoilt: Spoilt) =>
    judge(checks, evidence(spoilt)).checks.filter(({id, result}) => id === 'MESH112' && result === 'error');

  it('are moved back, never pushed', () => {
    const found = findings({cluster1: misplaced('cluster2'), cluster2: misplaced('cluster1')});
    const fix = 'mv cluster1 cluster1.moved && mv cluster2 cluster1 && mv cluster1.moved cluster2';
    expect(found.map((one) => one.fix)).toEqual([fix, fix]);
  });

  it('are not assumed where only one cluster has the CA of another: it gets a new one', () => {
    const [found, ...others] = findings({cluster1: misplaced('cluster2')});
    expect(others).toEqual([]);
    expect(found?.fix).toContain('certs generate cluster1 --renew');
  });

  it('make the push that MESH301 names a consequence', () => {
    const differences = [{part: 'clusterCa', wanted: ['a'], found: ['b']}] as const;
    const {checks: rows} = judge(
      checks,
      evidence({
        cluster1: {...misplaced('cluster2'), cacerts: {...clusterCa('cluster1'), differences}},
        cluster2: misplaced('cluster1'),
      }),
    );
    expect(rows.find(({id, cluster}) => id === 'MESH301' && cluster === 'cluster1')?.impliedBy).toBe('MESH112');
  });

  it.each(['cluster9', undefined])('are not seen in a subject that names no cluster of the mesh: L=%s', (locality) => {
    const ca = certificate('other', locality === undefined ? {} : {locality});
    expect(bad({cluster1: {caFiles: clusterCa('cluster1', {certificate: ca})}})).toEqual([]);
  });
});

describe('a fault', () => {
  it.each(faults)('is found, and nothing else: %s', (_, spoilt, expected) => {
    expect(bad(spoilt)).toEqual(expected);
  });

  it.each(faults)('comes with what was observed, what was expected and a command: %s', (_, spoilt) => {
    const rows = judge(checks, evidence(spoilt)).checks.filter(
      ({result}) => result === 'error' || result === 'warning',
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const {observed, expected, fix} of rows) {
      expect([observed, expected].every((text) => text !== '')).toBe(true);
      expect(fix).toMatch(/^(?:kubectl|istioctl|chmod|openssl|mv|git|\$\{EDITOR|"\$ISTIO")/);
    }
  });

  it('is known for every check that can find one', () => {
    const found = new Set(faults.flatMap(([, , ids]) => ids.map((id) => id.slice(0, 7))));
    // Reaching, reading and waiting have no wrong answers, only missing ones: those are unknown.
    const cannotFail = ['MESH201', 'MESH202', 'MESH310'];
    expect(checks.map(({id}) => id).filter((id) => !found.has(id))).toEqual(cannotFail);
  });
});

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
          cacerts: {...clusterCa('cluster1', both), differences: []},
        },
        cluster2: {
          caFiles: clusterCa('cluster2', {...both, anchor: foreignRoot.fingerprint}),
          cacerts: {...clusterCa('cluster2', both), differences: []},
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
        bundles: running.filter(({namespace}) => namespace !== 'kube-system'),
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
        servedChains: new Parts([
          {name: 'istiod-1', seen: known(servedChain('cluster1'))},
          {name: 'istiod-canary-1', seen: known(servedChain('cluster1'))},
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
        bundles: running.map((bundle) => ({...bundle, roots: [root.fingerprint, foreignRoot.fingerprint]})),
      },
    },
  ],
  ['an istiod that runs no CA', {cluster1: bare(noCa)}],
  [
    'an istiod before 1.24, whose metrics are as of its start',
    {
      mesh: {istio: {namespace: 'istio-system', profile: 'default'}},
      cluster1: metricsOf({version: '1.23.6', caEnd: daysFromNow(1)}),
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
  [
    'a cluster CA from cert-manager (kubernetes.io/tls)',
    {cluster1: {cacerts: {...clusterCa('cluster1'), differences: []}}},
  ],
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

describe('a context that leads elsewhere', () => {
  it.each(['MESH203', 'MESH204'])('is mended by recording those with the right UIDs: %s', (id) => {
    const {checks: rows} = judge(checks, evidence({cluster1: {clusterUid: 'uid-2'}}));
    const fixes = rows.filter((row) => row.id === id && row.result === 'error').map(({fix}) => fix);
    expect(fixes).toEqual([expect.stringMatching(/^kubectl mesh init \$\(.*uid-1\) echo "cluster1=\$context".*\)$/)]);
  });
});

describe('no false alarm', () => {
  it.each(healthyThings)('for %s', (_, spoilt) => {
    expect(bad(spoilt)).toEqual([]);
  });
});

describe('what does not apply', () => {
  it.each([
    ['MESH104', {cluster1: {caFiles: clusterCa('cluster1', {key: 'absent'})}}],
    ['MESH203', {declared1: {uid: undefined as never}}],
    ['MESH301', {cluster1: {cacerts: 'absent'}, declared1: {role: 'remote'}}],
    ['MESH302', {cluster1: {controlPlanes: [controlPlane('cluster1', {bundleName: undefined as never})]}}],
    ['MESH306', {cluster1: {liveRoots: 'elsewhere'}}],
    ['MESH306', {cluster1: {webhooks: []}}],
    ['MESH306', {cluster1: {controlPlanes: []}}],
    ['MESH307', {cluster1: {liveRoots: 'elsewhere'}}],
    ['MESH307', {cluster2: {servedChains: new Parts([])}}],
    ['MESH310', {cluster1: {proxyRoots: {state: 'elsewhere'}}}],
    ['MESH402', {cluster1: {controlPlanes: []}, declared1: {role: 'remote'}}],
    ['MESH403', {cluster1: {gateways: []}}],
    ['MESH406', {mesh: {meshID: undefined as never}}],
    ['MESH101', {meshValues: {declaration: {present: false, problems: [], clusters: 0}}}],
    ['MESH106', {meshValues: {fileModes: []}}],
    ['MESH110', {cluster1: {caFiles: noFiles}, cluster2: {caFiles: noFiles}}],
    ['MESH114', {meshValues: {gitHistory: {absent: 'the work directory is in no git repository'}}}],
    ['MESH114', {meshValues: {gitHistory: {keys: [], more: 0, shallow: true}}}],
    ['MESH115', {...notKept, facts1: {cacerts: {leftOut: '--offline'}}}],
  ] as const satisfies readonly (readonly [string, Spoilt])[])('%s is skipped, with a reason', (id, spoilt) => {
    expect(resultOf(id, spoilt)).toBe('skipped');
  });
});

describe('what nothing tells of', () => {
  const noneSelected = controlPlane('cluster1', {discoverySelectors: [{matchLabels: {mesh: 'yes'}}]});
  const {bundleName, ...byOtherMeans} = controlPlane('cluster1');
  const beside = (change: object) =>
    running.map((bundle) => (bundle.namespace === 'istio-system' ? {...bundle, ...change} : bundle));

  it.each<[string, string, Spoilt['cluster1']]>([
    ['MESH302', 'discoverySelectors select no namespace', {controlPlanes: [noneSelected], bundles: []}],
    ['MESH304', "Istio's namespace has no bundle", {selfSignedRoot: foreignRoot, bundles: []}],
    [
      'MESH304',
      'the bundle there cannot be read',
      {selfSignedRoot: foreignRoot, bundles: beside({text: 'x', roots: []})},
    ],
    [
      'MESH304',
      `the bundle is not in ConfigMap ${String(bundleName)}`,
      {selfSignedRoot: foreignRoot, controlPlanes: [byOtherMeans]},
    ],
  ])('is not ok but skipped: %s where %s', (id, _, cluster1) => {
    expect(resultOf(id, {cluster1: cluster1 ?? {}})).toBe('skipped');
  });

  it('is told again by a bundle without the root that istiod made', () => {
    expect(resultOf('MESH304', {cluster1: {selfSignedRoot: foreignRoot}})).toBe('ok');
  });
});

describe('MESH303', () => {
  const push = 'kubectl mesh trust push cluster1 --restart-istiod --yes';
  const restart = 'kubectl --context kind-cluster1 -n istio-system rollout restart deployment -l app=istiod';
  const right = servedChain('cluster1');
  const underPushedRoot = servedChain('cluster2');
  const underOther = {...right, chain: [certificate('leaf'), foreign.certificate, foreignRoot]};
  const together = [
    controlPlane('cluster1', {workload: workload('istiod', {pods: [pod('istiod-1'), pod('istiod-2')]})}),
  ];
  const apart = [
    controlPlane('cluster1'),
    controlPlane('cluster1', {workload: workload('istiod-b', {pods: [pod('istiod-2')]})}),
  ];

  it.each<[string, string, typeof together, (typeof right)[]]>([
    [
      'the push, which asks about workloads first, where the root is another one',
      push,
      together,
      [underOther, underOther],
    ],
    ['a restart where the pushed root is in use', restart, together, [underPushedRoot, underPushedRoot]],
    ['a restart where a replica has loaded it', restart, together, [right, underOther]],
    ['the push where only another revision has loaded it', push, apart, [right, underOther]],
  ])('is mended by %s', (_, fix, controlPlanes, chains) => {
    const servedChains = new Parts(chains.map((chain, at) => ({name: `istiod-${String(at + 1)}`, seen: known(chain)})));
    const only = checks.filter(({id}) => id === 'MESH303');
    const rows = judge(only, evidence({cluster1: {servedChains, controlPlanes}})).checks.filter(
      ({cluster, result}) => cluster === 'cluster1' && result === 'error',
    );
    expect(new Set(rows.map((row) => row.fix))).toEqual(new Set([fix]));
  });
});

describe('MESH115', () => {
  it.each<[string, Spoilt['cluster1'], RowResult]>([
    ['has done its work', {}, 'warning'],
    ['is gone', {caFiles: clusterCa('cluster1', {key: 'absent'})}, 'ok'],
    ['was never pushed', {cacerts: 'absent'}, 'ok'],
    ['is a new one', {cacerts: {...clusterCa('other'), differences: []}}, 'ok'],
    [
      'is one that the cluster has only the certificate of',
      {cacerts: {...clusterCa('cluster1', {key: 'absent'}), differences: []}},
      'ok',
    ],
  ])('of a key that %s: %s', (_, cluster1, result) => {
    expect(resultOf('MESH115', {...notKept, cluster1: cluster1 ?? {}})).toBe(result);
  });

  it('is mended by a push', () => {
    const row = judge(checks, evidence(notKept)).checks.find(
      ({id, result}) => id === 'MESH115' && result === 'warning',
    );
    expect(row?.fix).toBe('kubectl mesh trust push cluster1 --restart-istiod --yes');
  });
});

describe('MESH114', () => {
  it.each<[string, Partial<KeyInHistory>, string]>([
    ['makes a new CA where its key is known', {owner: {cluster: 'cluster1'}}, 'certs generate cluster1 --renew'],
    ['looks where nothing can be made new', {owner: 'root'}, 'git -C . log'],
    ['looks where the cluster is no more', {owner: {cluster: 'gone'}}, 'git -C . log'],
    ['quotes what somebody named a file', {path: "a'; rm -rf x"}, `'a'\\''; rm -rf x'`],
  ])('%s', (_, change, words) => {
    const row = judge(checks, evidence({meshValues: {gitHistory: history(change)}})).checks.find(
      ({id}) => id === 'MESH114',
    );
    expect(row?.fix).toContain(words);
  });
});

describe('a bundle that is missing', () => {
  const fixWithout = (missing: readonly string[]): string | undefined => {
    const {bundles} = clusterValues('cluster1');
    const left = bundles.filter(({namespace}) => !missing.includes(namespace));
    return judge(checks, evidence({cluster1: {bundles: left}})).checks.find(
      ({id, cluster, result}) => id === 'MESH302' && cluster === 'cluster1' && result === 'error',
    )?.fix;
  };

  it('is tried to be made where it is missing, and istiod restarted only when that is not refused', () => {
    expect(fixWithout(['default'])).toMatch(
      /^kubectl --context \S+ -n default create configmap istio-ca-root-cert --dry-run=server && kubectl .* rollout restart deployment\/istiod$/,
    );
  });
});

describe('a Deployment that is not well', () => {
  it.each([
    ['is scaled to 0', {desired: 0, pods: []}, 'scale deployment/istiod --replicas 1'],
    ['gets no pod', {pods: []}, 'get events --field-selector type=Warning'],
    [
      'has a pod that waits',
      {pods: [pod('istiod-1', {ready: false, phase: 'Pending', reason: 'Unschedulable: no node'})]},
      'describe pod istiod-1',
    ],
    [
      'has a pod that ends again and again',
      {pods: [pod('istiod-1', {ready: false, reason: 'CrashLoopBackOff: back-off 40s', crashing: true})]},
      'logs istiod-1 --previous --tail=20',
    ],
  ])('and %s names the command that mends it or says why', (_, change, words) => {
    const spoilt = {controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', change)})]};
    const row = judge(checks, evidence({cluster1: spoilt})).checks.find(
      ({id, result}) => id === 'MESH402' && result === 'error',
    );
    expect(row?.fix).toBe(`kubectl --context kind-cluster1 -n istio-system ${words}`);
  });
});
