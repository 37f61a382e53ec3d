import {PerPod} from '../../../../../src/domain/facts/facts.js';
import {known} from '../../../../../src/domain/observed.js';
import {
  certificate,
  cacertsOf,
  clusterCa,
  controlPlane,
  daysFromNow,
  fingerprintsOf,
  istiodClusters,
  liveRoots,
  mesh,
  meshValues,
  networks,
  realChain,
  root,
  webhooks,
} from '../../healthy.js';
import {
  clustersOf,
  foreign,
  foreignRoot,
  healthy,
  healthyBundles,
  history,
  misplaced,
  type Fault,
} from '../builders.js';

const {journal} = meshValues();

/** The work directory: MESH1xx. */
export const workdirFaults: readonly Fault[] = [
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
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {problems: [{severity: 'error', message: 'wrong order', reason: 'form'}]}),
      },
    },
    ['MESH103 error'],
  ],
  [
    'the chain is unusual',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {problems: [{severity: 'warning', message: 'ed25519', reason: 'cluster CA'}]}),
      },
    },
    ['MESH103 warning'],
  ],
  [
    'the key belongs to another certificate',
    {cluster1: {caFiles: clusterCa('cluster1', {key: 'different'})}},
    ['MESH104 error'],
  ],
  [
    'the key is encrypted',
    {cluster1: {caFiles: clusterCa('cluster1', {key: 'unusable', keyProblem: 'it is encrypted'})}},
    ['MESH104 error'],
  ],
  [
    'one cluster has a different root, in its files and in the cluster',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', foreign),
        cacerts: cacertsOf(clusterCa('cluster1', foreign)),
        pushedTrust: {
          from: 'Secret cacerts',
          bundle: 'foreign',
          roots: [foreignRoot.fingerprint],
          certificate: foreign.certificate,
        },
        bundles: healthyBundles.map((bundle) => ({...bundle, text: 'foreign', roots: [foreignRoot.fingerprint]})),
        servedChains: new PerPod([
          {
            name: 'istiod-1',
            observed: known({
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
    'two CAs of one issuer have the same serial number',
    {
      cluster1: {caFiles: clusterCa('cluster1', {certificate: certificate('ca of cluster1', {serial: '01'})})},
      cluster2: {caFiles: clusterCa('cluster2', {certificate: certificate('ca of cluster2', {serial: '01'})})},
    },
    ['MESH110 warning'],
  ],
  [
    'a cluster CA has the serial number of its root',
    {cluster1: {caFiles: clusterCa('cluster1', {certificate: certificate('ca of cluster1', {serial: root.serial})})}},
    ['MESH110 warning'],
  ],
  [
    'an expired root is left in a bundle',
    {
      cluster1: (() => {
        const expired = certificate('old root', {notAfter: daysFromNow(-1), notBefore: daysFromNow(-900)});
        const message = 'the bundle still contains the root';
        const ca = clusterCa('cluster1', {
          roots: [root, expired],
          problems: [{severity: 'warning', message, reason: 'expired root'}],
        });
        return {caFiles: ca, cacerts: cacertsOf(ca)};
      })(),
    },
    ['MESH103 warning'],
  ],
  [
    'a key is readable by others',
    {meshValues: {fileModes: [{path: 'cluster1/ca-key.pem', kind: 'key', mode: 0o644}]}},
    ['MESH106 error'],
  ],
  [
    'a directory with a key is readable by others',
    {meshValues: {fileModes: [{path: 'cluster1', kind: 'directory', mode: 0o755}]}},
    ['MESH106 warning'],
  ],
  [
    'every user can write to the work directory',
    {meshValues: {fileModes: [{path: '.', kind: 'parent', mode: 0o777}]}},
    ['MESH106 error'],
  ],
  [
    'a group can write to the directory of the root key',
    {meshValues: {fileModes: [{path: '/media/stick', kind: 'parent', mode: 0o775}]}},
    ['MESH106 warning'],
  ],
  [
    'an encrypted key under another name is weakly encrypted',
    {meshValues: {rootKey: {protection: 'absent', encrypted: [{path: 'k.pem', weakness: 'des-cbc and md5'}]}}},
    ['MESH107 warning'],
  ],
  [
    'the root key is weakly encrypted',
    {meshValues: {rootKey: {protection: 'encrypted', weakness: 'aes-256-cbc and pbkdf2-sha256 2048 rounds'}}},
    ['MESH107 warning'],
  ],
  [
    'an unencrypted root key has another name',
    {meshValues: {rootKey: {protection: 'absent', copies: [{path: 'k.pem', of: 'root', alone: true}]}}},
    ['MESH107 warning'],
  ],
  ['the root key is not encrypted', {meshValues: {rootKey: {protection: 'clear'}}}, ['MESH107 warning']],
  [
    'the cluster CA on disk expires in 59 of 730 days',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notBefore: daysFromNow(-671), notAfter: daysFromNow(59)}),
        }),
      },
    },
    ['MESH108 error'],
  ],
  [
    'the cluster CA on disk expires in 179 of 730 days',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notBefore: daysFromNow(-551), notAfter: daysFromNow(179)}),
        }),
      },
    },
    ['MESH108 warning'],
  ],
  [
    'the root on disk expires in a month',
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
    'a CA between the cluster CA and its root expires in five days',
    {
      cluster1: {
        caFiles: clusterCa('cluster1', {
          certificate: certificate('ca of cluster1', {notAfter: daysFromNow(5), notBefore: daysFromNow(0)}),
          between: [certificate('policy CA', {notBefore: daysFromNow(-700), notAfter: daysFromNow(5)})],
        }),
      },
    },
    // Both expire then.
    ['MESH108 error', 'MESH108 error'],
  ],
  [
    'the same cluster CA expires soon on disk and in the cluster',
    {
      cluster1: (() => {
        const old = certificate('ca of cluster1', {notBefore: daysFromNow(-725), notAfter: daysFromNow(5)});
        return {
          caFiles: clusterCa('cluster1', {certificate: old}),
          cacerts: cacertsOf(clusterCa('cluster1', {certificate: old})),
        };
      })(),
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
    'two clusters have the same key in different certificates',
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
  [
    'two clusters have the same CA',
    {
      cluster2: {
        caFiles: clusterCa('cluster1'),
        cacerts: cacertsOf(clusterCa('cluster1')),
        pushedTrust: healthy.pushedTrust,
        servedChains: healthy.servedChains,
      },
    },
    ['MESH110 error'],
  ],
  ['install.yaml is stale', {cluster1: {installFile: {state: 'stale', difference: 'line 3'}}}, ['MESH111 warning']],
  ['a directory holds the CA of another cluster', {cluster1: misplaced('cluster2')}, ['MESH112 error']],
  [
    'a line of the journal was changed',
    {
      meshValues: {
        journal: {...journal, faults: [{line: 3, kind: 'changed', message: 'entry a/2 is not what was written'}]},
      },
    },
    ['MESH113 error'],
  ],
  ['an unencrypted root key was committed', {meshValues: {gitHistory: history({owner: 'root'})}}, ['MESH114 error']],
  [
    'an unencrypted cluster CA key was committed',
    {meshValues: {gitHistory: history({path: 'cluster1/ca-key.pem', owner: {cluster: 'cluster1'}})}},
    ['MESH114 error'],
  ],
  [
    'an encrypted root key was committed',
    {meshValues: {gitHistory: history({protection: 'encrypted'})}},
    ['MESH114 warning'],
  ],
  [
    'a key of no current CA was committed, in a shallow clone',
    {meshValues: {gitHistory: {...history({}), shallow: true}}},
    ['MESH114 warning'],
  ],
  [
    'a certificate file of a cluster contains a private key',
    {meshValues: {keysInPublicFiles: [{path: 'cluster1/root-cert.pem', cluster: 'cluster1'}]}},
    ['MESH117 error'],
  ],
  [
    "root-cert.pem and a cluster's install.yaml contain a private key",
    {meshValues: {keysInPublicFiles: [{path: 'root-cert.pem'}, {path: 'cluster1/install.yaml', cluster: 'cluster1'}]}},
    ['MESH117 error', 'MESH117 error'],
  ],
  ...['team/a', 'a:b'].map((istioName): Fault => [
    `no Secret can have the clusterName as a data key: ${istioName}`,
    {
      declared1: {istioName},
      cluster1: {
        controlPlanes: [controlPlane(istioName, {network: networks.cluster1})],
        ...clustersOf(istiodClusters(istioName)),
      },
    },
    ['MESH118 warning'],
  ]),
  [
    'a cluster CA key that the cluster holds is retained',
    {
      mesh: {trust: {...mesh.trust, keepClusterKeys: false}},
      cluster2: {caFiles: clusterCa('cluster2', {key: 'absent'})},
    },
    ['MESH115 warning'],
  ],
  [
    'the journal was rewritten',
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
