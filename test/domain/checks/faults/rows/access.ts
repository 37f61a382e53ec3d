import {controlPlane, coreRule, healthyGrants, rbac, type Overrides} from '../../healthy.js';
import type {Fault} from '../builders.js';

const alice = {kind: 'User', name: 'alice'};
const authenticated = {kind: 'Group', name: 'system:authenticated'};

/** Grants a subject rules in Istio's namespace of cluster1. */
const granted = (subject: typeof alice, ...rules: readonly object[]): Overrides => ({
  cluster1: {rbac: rbac(...healthyGrants, {subjects: [subject], rules, namespace: 'istio-system'})},
});

/** Access to the clusters: MESH2xx. */
export const accessFaults: readonly Fault[] = [
  ['the context points to another cluster', {cluster1: {clusterUid: 'other'}}, ['MESH203 error']],
  ['two names refer to one cluster', {cluster1: {clusterUid: 'uid-2'}}, ['MESH204 error']],
  [
    'Kubernetes is older than Istio supports',
    {cluster1: {apiVersion: {gitVersion: 'v1.31.9', major: 1, minor: 31}}},
    ['MESH205 warning'],
  ],
  [
    'Istio 1.13 runs in one cluster, whose Kubernetes no longer serves the API of its PodDisruptionBudgets',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {tag: '1.13.9', version: {major: 1, minor: 13, patch: 9}})]}},
    ['MESH205 error', 'MESH408 error', 'MESH409 warning'],
  ],
  ['a user can read Secret cacerts', granted(alice, coreRule(['get'], ['secrets'], 'cacerts')), ['MESH206 warning']],
  [
    'a user can read the other Secret that istiod mounts',
    {
      cluster1: {
        ...granted(alice, coreRule(['get'], ['secrets'], 'mesh-ca')).cluster1,
        caSources: [{istiod: 'istiod', source: {from: 'secret', name: 'mesh-ca'}}],
      },
    },
    ['MESH206 warning'],
  ],
  [
    'every authenticated user can list Secrets in all namespaces',
    {cluster1: {rbac: rbac(...healthyGrants, {subjects: [authenticated], rules: [coreRule(['list'], ['secrets'])]})}},
    ['MESH206 warning'],
  ],
  ['a user can exec into istiod', granted(alice, coreRule(['create'], ['pods/exec'])), ['MESH207 warning']],
  ['a user can replace the CA in the Secret', granted(alice, coreRule(['update'], ['secrets'])), ['MESH207 warning']],
  [
    'a user can read the remote secret of another cluster',
    granted(alice, coreRule(['get'], ['secrets'], 'istio-remote-secret-cluster2')),
    ['MESH208 warning'],
  ],
  [
    'a remote secret holds credentials of an unknown subject',
    {cluster1: {remoteCredentials: [{secret: 'istio-remote-secret-cluster2', cluster: 'cluster2'}]}},
    ['MESH208 warning'],
  ],
];
