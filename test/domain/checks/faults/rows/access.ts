import {coreRule, healthyGrants, rbac, type Spoilt} from '../../healthy.js';
import type {Fault} from '../builders.js';

const alice = {kind: 'User', name: 'alice'};
const everybody = {kind: 'Group', name: 'system:authenticated'};

/** Somebody holds a rule in Istio's namespace of cluster1. */
const granted = (subject: typeof alice, ...rules: readonly object[]): Spoilt => ({
  cluster1: {rbac: rbac(...healthyGrants, {subjects: [subject], rules, namespace: 'istio-system'})},
});

/** Access to the clusters: MESH2xx. */
export const accessFaults: readonly Fault[] = [
  ['the context leads to another cluster', {cluster1: {clusterUid: 'other'}}, ['MESH203 error']],
  ['two names lead to one cluster', {cluster1: {clusterUid: 'uid-2'}}, ['MESH204 error']],
  [
    'Kubernetes is older than Istio supports',
    {cluster1: {apiVersion: {gitVersion: 'v1.31.9', major: 1, minor: 31}}},
    ['MESH205 warning'],
  ],
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
];
