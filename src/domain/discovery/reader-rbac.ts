/**
 * The service account as which istiod reads a cluster, and its rights, as Istio's charts create them (istio/istio
 * 1.31.0:manifests/charts/base/templates/reader-serviceaccount.yaml, manifests/charts/istio-control/istio-discovery/templates
 * reader-clusterrole.yaml and reader-clusterrolebinding.yaml).
 */
import type {KubeObject} from '../kube/object.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {readerServiceAccount} from './names.js';

const rbac = 'rbac.authorization.k8s.io';

/** What identifies an installation's reader. */
export interface ReaderPlace {
  /** Istio's namespace. */
  readonly namespace: string;
  /** The revision of the control plane; absent for the default one. */
  readonly revision?: string;
  /** A remote's reader also maintains Istio's ConfigMaps and webhooks there. */
  readonly role: MeshCluster['role'];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const rule = (apiGroup: string, resources: string, verbs: string): Rule => ({
  apiGroups: [apiGroup],
  resources: resources.split(' '),
  verbs: verbs.split(' '),
});

const read = 'get list watch';
const multiClusterServices = 'multicluster.x-k8s.io';
const admission = 'admissionregistration.k8s.io';

const istioGroups = ['config', 'security', 'networking', 'authentication', 'rbac', 'telemetry', 'extensions'];

/** The rights for reading a cluster. */
const rules: readonly Rule[] = [
  {apiGroups: istioGroups.map((name) => `${name}.istio.io`), resources: ['*'], verbs: read.split(' ')},
  rule('', 'endpoints pods services nodes replicationcontrollers namespaces secrets configmaps', read),
  {
    ...rule('gateway.networking.k8s.io', 'gateways', read),
    apiGroups: ['networking.x-k8s.io', 'gateway.networking.k8s.io'],
  },
  rule('apiextensions.k8s.io', 'customresourcedefinitions', read),
  rule('discovery.k8s.io', 'endpointslices', read),
  rule(multiClusterServices, 'serviceexports', `${read} create delete`),
  rule(multiClusterServices, 'serviceimports', read),
  rule('apps', 'replicasets', read),
  rule('authentication.k8s.io', 'tokenreviews', 'create'),
  rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
];

/** The additional rights in a remote (the charts' `istiodRemote.enabled`). */
const remoteRules: readonly Rule[] = [
  rule('', 'configmaps', `create ${read} update`),
  rule(admission, 'mutatingwebhookconfigurations', `${read} update patch`),
  rule(admission, 'validatingwebhookconfigurations', `${read} update`),
];

/** Returns the ServiceAccount, the ClusterRole and its binding, in the order in which they must exist. */
export function readerRbac({namespace, revision, role}: ReaderPlace): readonly KubeObject[] {
  const labels = {app: 'istio-reader', 'app.kubernetes.io/name': 'istio-reader'};
  const suffix = revision === undefined || revision === 'default' ? '' : `-${revision}`;
  const name = `istio-reader-clusterrole${suffix}-${namespace}`;
  return [
    {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: readerServiceAccount, namespace, labels}},
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: {name, labels},
      rules: [...rules, ...(role === 'remote' ? remoteRules : [])],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: {name, labels},
      roleRef: {apiGroup: rbac, kind: 'ClusterRole', name},
      subjects: [{kind: 'ServiceAccount', name: readerServiceAccount, namespace}],
    },
  ];
}
