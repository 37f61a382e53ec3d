import {defined} from '../../../../../src/domain/defined.js';
import {readRemoteKubeconfig, type RemoteKubeconfig} from '../../../../../src/domain/discovery/remote-kubeconfig.js';
import type {TokenVerdict} from '../../../../../src/domain/discovery/token.js';
import {
  PerCluster,
  PerPod,
  type IstiodDiscovery,
  type RemoteSecretFacts,
} from '../../../../../src/domain/facts/facts.js';
import {known} from '../../../../../src/domain/observed.js';
import {Sensitive} from '../../../../../src/domain/sensitive.js';
import {
  apiServerOf,
  controlPlane,
  daysFromNow,
  endpointsIn,
  istiodClusters,
  istiodDiscovery,
  readCluster,
  remoteCredential,
  remoteKubeconfig,
  remoteSecret,
  remoteSecretsOf,
  services,
  tokenClaims,
  workload,
  type Overrides,
} from '../../healthy.js';
import {clustersOf, type Fault} from '../builders.js';

/** The remote secret for cluster2 in cluster1 is another one. */
export const withSecret = (change: Partial<RemoteSecretFacts>): Overrides => ({
  cluster1: {remoteSecrets: remoteSecretsOf('cluster1', remoteSecret('cluster2', change))},
});

/** The kubeconfig in it is another one. */
export const withKubeconfig = (change: Partial<RemoteKubeconfig>): Overrides =>
  withSecret({credentials: [remoteCredential('cluster2', {kubeconfig: remoteKubeconfig('cluster2', change)})]});

/** The kubeconfig in it has a user without a token. */
export const withUser = (user: object): Overrides => {
  const {url, caData} = apiServerOf('cluster2');
  const cluster = {server: url, 'certificate-authority-data': caData};
  const kubeconfig = readRemoteKubeconfig(
    JSON.stringify({clusters: [{name: 'a', cluster}], users: [{name: 'a', user}]}),
  );
  return {
    ...withSecret({credentials: [defined({...remoteCredential('cluster2'), kubeconfig})]}),
    cluster2: {acceptedTokens: new PerCluster([{name: 'cluster1', observed: known('no token')}])},
  };
};

/** cluster2 judges the token of cluster1 like this. */
const judged = (verdict: TokenVerdict): Overrides => ({
  cluster2: {acceptedTokens: new PerCluster([{name: 'cluster1', observed: known(verdict)}])},
});

/** The istiod of cluster1 reports cluster2 like this. */
const reported = (status: string) => clustersOf(istiodClusters('cluster1', readCluster('cluster2', {status})));

/** istiod of cluster1 has these endpoints. */
const discovered = (value: IstiodDiscovery) => ({
  istiodDiscovery: new PerPod([{name: 'istiod-1', observed: known(value)}]),
});

const usualName = 'istio-remote-secret-cluster2';
const rejected = {accepted: false, reason: 'invalid bearer token'} as const;
const noSecret = {remoteSecrets: remoteSecretsOf('cluster1', 'absent')};

/** A certificate of another CA. */
const otherCa = Buffer.from('-----BEGIN CERTIFICATE-----\nb3RoZXI=\n-----END CERTIFICATE-----\n').toString('base64');
const address = apiServerOf('cluster2');

/** Endpoint discovery: MESH5xx. */
export const discoveryFaults: readonly Fault[] = [
  [
    'there is no remote secret for a peer',
    {cluster1: {...noSecret, ...clustersOf({known: [], listsItself: false})}},
    ['MESH501 error'],
  ],
  [
    'the remote secret for a peer has another name',
    {
      cluster1: {
        ...noSecret,
        ...clustersOf(istiodClusters('cluster1', readCluster('cluster2', {secretName: 'istio-system/theirs'}))),
        remoteCredentials: [remoteCredential('cluster2', {secret: 'theirs'})],
      },
    },
    ['MESH501 warning'],
  ],
  ['istiod does not find the remote secret without its label', withSecret({labeled: false}), ['MESH501 error']],
  ["a remote secret's annotation names another cluster", withSecret({annotation: 'other'}), ['MESH501 warning']],
  ['a remote secret has no data key', withSecret({credentials: []}), ['MESH501 error']],
  [
    'the data key of a remote secret is another cluster name',
    {
      cluster1: {
        ...withSecret({credentials: [remoteCredential('zwei', {secret: usualName})]}).cluster1,
        ...clustersOf(istiodClusters('cluster1', readCluster('zwei', {secretName: `istio-system/${usualName}`}))),
        remoteCredentials: [],
      },
    },
    ['MESH501 error'],
  ],
  [
    'the usual remote secret has another data key, and istiod reads the peer from one of another name',
    {
      cluster1: {
        ...withSecret({credentials: [remoteCredential('zwei', {secret: usualName})]}).cluster1,
        ...clustersOf(istiodClusters('cluster1', readCluster('cluster2', {secretName: 'istio-system/theirs'}))),
        remoteCredentials: [],
      },
      cluster2: {acceptedTokens: new PerCluster([{name: 'cluster1', observed: known('no token')}])},
    },
    ['MESH501 warning'],
  ],
  [
    'the data key of a remote secret is the name of the reader itself',
    {
      cluster1: {
        ...withSecret({credentials: [remoteCredential('cluster1', {secret: usualName})]}).cluster1,
        ...clustersOf({known: [], listsItself: false}),
        remoteCredentials: [],
      },
    },
    ['MESH501 error'],
  ],
  [
    'a remote secret contains no kubeconfig',
    withSecret({credentials: [{secret: usualName, cluster: 'cluster2'}]}),
    ['MESH501 error'],
  ],
  ['a kubeconfig has no credential', withUser({}), ['MESH501 error']],
  ['istiod rejects the kubeconfig', withKubeconfig({rejected: ['exec']}), ['MESH501 error']],
  [
    'the remote secret of another mesh is left',
    {cluster1: clustersOf(istiodClusters('cluster1', readCluster('cluster2'), readCluster('gone')))},
    ['MESH502 warning'],
  ],
  [
    'a deleted cluster has a remote secret',
    {
      cluster1: clustersOf(
        istiodClusters('cluster1', readCluster('cluster2'), readCluster('gone', {status: 'timeout'})),
      ),
    },
    ['MESH502 error'],
  ],
  [
    'a cluster has a remote secret for itself',
    {
      cluster1: {
        remoteSecrets: new PerCluster([
          {name: 'cluster1', observed: known(remoteSecret('cluster1'))},
          {name: 'cluster2', observed: known(remoteSecret('cluster2'))},
        ]),
      },
    },
    ['MESH502 warning'],
  ],
  [
    'two remote secrets are for one cluster',
    {cluster1: {remoteCredentials: [remoteCredential('cluster2'), remoteCredential('cluster2', {secret: 'theirs'})]}},
    ['MESH502 error'],
  ],
  [
    'one of two istiods cannot read a cluster that is not in mesh.yaml',
    {
      cluster1: clustersOf(
        istiodClusters('cluster1', readCluster('cluster2'), readCluster('gone')),
        istiodClusters('cluster1', readCluster('cluster2'), readCluster('gone', {status: 'timeout'})),
      ),
    },
    ['MESH502 error'],
  ],
  [
    'one of two control planes reads remote secrets, and there is none for a peer',
    {
      cluster1: {
        ...noSecret,
        ...clustersOf({known: [], listsItself: false}),
        controlPlanes: [
          controlPlane('cluster1', {network: 'network1'}),
          controlPlane('cluster1', {
            network: 'network1',
            revision: 'files',
            workload: workload('istiod-files', {env: {PILOT_MULTICLUSTER_KUBECONFIG_PATH: '/etc/clusters'}}),
          }),
        ],
      },
    },
    ['MESH501 error'],
  ],
  ['a peer rejects the token', judged(rejected), ['MESH503 error']],
  [
    'a peer rejects a token that is not a JWT, and istiod has not read it',
    {
      cluster1: {
        ...withSecret({
          credentials: [
            remoteCredential('cluster2', {kubeconfig: {address, token: new Sensitive('opaque'), rejected: []}}),
          ],
        }).cluster1,
        ...reported('timeout'),
      },
      ...judged(rejected),
    },
    ['MESH503 error'],
  ],
  [
    'the token is that of another service account',
    judged({accepted: true, username: 'system:serviceaccount:default:admin'}),
    ['MESH503 warning'],
  ],
  [
    'the token has expired',
    {...withKubeconfig({claims: tokenClaims({expiresAt: daysFromNow(-1)})}), ...judged(rejected)},
    ['MESH503 error'],
  ],
  ...(
    [
      ['in 20 of 100 days', {issuedAt: daysFromNow(-81), expiresAt: daysFromNow(19)}, 'warning'],
      ['in 9 of 100 days', {issuedAt: daysFromNow(-91), expiresAt: daysFromNow(9)}, 'error'],
      ['tomorrow, of an unknown lifetime', {issuedAt: undefined as never, expiresAt: daysFromNow(0.5)}, 'error'],
    ] as const
  ).map(([name, claims, result]): Fault => [
    `the token expires ${name}`,
    withKubeconfig({claims: tokenClaims(claims)}),
    [`MESH504 ${result}`],
  ]),
  [
    'the server in the remote secret does not answer, and is not that of the kubeconfig',
    {
      cluster1: {
        ...withKubeconfig({address: {...address, url: 'https://old.example.com'}}).cluster1,
        ...reported('timeout'),
      },
    },
    ['MESH505 error'],
  ],
  [
    'only the workstation can use the server in the remote secret',
    {
      cluster1: {
        ...withKubeconfig({address: {...address, url: 'https://127.0.0.1:6443'}}).cluster1,
        ...reported('timeout'),
      },
    },
    ['MESH505 error'],
  ],
  [
    'mesh.yaml declares another server',
    {declared1: {apiServer: {url: 'https://api.example.com'}}},
    ['MESH505 warning'],
  ],
  [
    'the CA in the remote secret is another one',
    withKubeconfig({address: {...address, caData: otherCa}}),
    ['MESH505 error'],
  ],
  [
    'the CA in the remote secret is a file',
    withKubeconfig({address: {url: address.url}, caFile: '/etc/ca.crt'}),
    ['MESH505 error'],
  ],
  ["istiod does not verify the server's certificate", withKubeconfig({insecure: true}), ['MESH505 warning']],
  [
    'istiod does not list a peer whose remote secret is right',
    {cluster1: clustersOf({known: [{id: 'cluster1', secretName: '', status: 'synced'}], listsItself: true})},
    ['MESH506 error'],
  ],
  [
    'istiod has none of the endpoints of a peer',
    {cluster1: discovered({endpoints: [endpointsIn('cluster1', ...services)]})},
    ['MESH507 error'],
  ],
  [
    'istiod has only the endpoints of a peer that changed',
    {cluster1: discovered({endpoints: [endpointsIn('cluster1', ...services), endpointsIn('cluster2', 'shop/cart')]})},
    ['MESH507 error'],
  ],
  [
    'the two directions of a pair have different faults',
    {
      cluster1: {...noSecret, ...clustersOf({known: [], listsItself: false})},
      cluster2: discovered({endpoints: [endpointsIn('cluster2', ...services)]}),
    },
    ['MESH501 error', 'MESH507 error'],
  ],
  [
    "istiod has no endpoints of a peer whose own istiod was not queried, although it reads the API server's here",
    {
      cluster1: discovered({endpoints: [endpointsIn('cluster1', ...services)]}),
      cluster2: discovered({}),
    },
    ['MESH507 error'],
  ],
];

/** Unusual but healthy states. */
export const healthyDiscovery: readonly (readonly [string, Overrides])[] = [
  [
    'a token that link will renew soon',
    withKubeconfig({claims: tokenClaims({issuedAt: daysFromNow(-75), expiresAt: daysFromNow(25)})}),
  ],
  ...(
    [
      ['exec', 'exec'],
      ['client-key', 'clientKey'],
      ['auth-provider gcp', 'gcp'],
    ] as const
  ).map(([field, option]): (typeof healthyDiscovery)[number] => {
    const env = {PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS: `tokenFile,${option}`};
    const permitting = [controlPlane('cluster1', {network: 'network1', workload: workload('istiod', {env})})];
    return [
      `a kubeconfig with ${field}, which istiod is configured to accept`,
      {cluster1: {...withKubeconfig({rejected: [field]}).cluster1, controlPlanes: permitting}},
    ];
  }),
  ['a token that does not expire', withKubeconfig({claims: {subject: tokenClaims().subject, audiences: []}})],
  ...[
    {'client-certificate-data': 'QQ=='},
    {'auth-provider': {name: 'oidc', config: {'id-token': 'x'}}},
    {username: 'x', password: 'y'},
  ].map((user): (typeof healthyDiscovery)[number] => [
    `a credential without a token: ${Object.keys(user).join(', ')}`,
    withUser(user),
  ]),
  ['a remote secret of istioctl without an annotation', withSecret({annotation: undefined as never})],
  [
    'another address, with another CA, from which istiod has read the peer',
    withKubeconfig({address: {url: 'https://lb.example.com', caData: otherCa}}),
  ],
  [
    'a loopback address from which istiod has read the peer',
    withKubeconfig({address: {...address, url: 'https://127.0.0.1:1'}}),
  ],
  [
    'a peer without any service in namespaces that istiod reads',
    {
      cluster1: {
        ...discovered({endpoints: [endpointsIn('cluster1', 'shop/cart')]}),
      },
      cluster2: discovered({endpoints: [endpointsIn('cluster1', 'shop/cart')]}),
    },
  ],
  [
    'a service that started a moment ago',
    {
      cluster2: discovered({
        endpoints: [endpointsIn('cluster1', ...services), endpointsIn('cluster2', ...services, 'shop/new')],
      }),
    },
  ],
  ['istiods that do not list endpoints', {cluster1: discovered({}), cluster2: discovered({})}],
  [
    'a token that is not a JWT',
    withSecret({
      credentials: [
        remoteCredential('cluster2', {kubeconfig: {address, token: new Sensitive('opaque'), rejected: []}}),
      ],
    }),
  ],
  [
    'a token of a proxy in front of the API server, with which istiod has read the peer',
    {
      ...withSecret({
        credentials: [
          remoteCredential('cluster2', {kubeconfig: {address, token: new Sensitive('opaque'), rejected: []}}),
        ],
      }),
      ...judged(rejected),
    },
  ],
  ['an istiod whose endpoints follow', {cluster1: discovered(istiodDiscovery())}],
];
