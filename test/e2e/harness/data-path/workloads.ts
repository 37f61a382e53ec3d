/** The application of the tests: the same service in every cluster, whose pods answer with their cluster's name, and a client. */
import {stringify} from 'yaml';
import type {DataResource, Resource} from '../api.js';
import type {Cluster} from '../cluster.js';
import {eventually, output} from '../processes.js';
import {clientImage, echoImage} from './images.js';

/** Where the service is, and its name as Envoy has it. */
export const echo = {namespace: 'sample', name: 'echo', port: 5000, host: 'echo.sample.svc.cluster.local'} as const;

/** Labels of the pods. */
export const echoLabels = {app: 'echo'} as const;
export const clientLabels = {app: 'client'} as const;
/** Names a pod's cluster, so that a policy can select the pods of one. */
export const clusterLabel = 'harness/cluster';

/** A namespace whose pods istiod injects, once the mesh's root has reached it: proxies cannot start before. */
export async function createNamespace({api, name}: Cluster, labels: Readonly<Record<string, string>>): Promise<void> {
  await api.apply(`/api/v1/namespaces/${echo.namespace}`, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {name: echo.namespace, labels},
  });
  await eventually(`istio-ca-root-cert in ${echo.namespace} of ${name}`, () =>
    api.find<DataResource>(`/api/v1/namespaces/${echo.namespace}/configmaps/istio-ca-root-cert`),
  );
}

/** The service with one pod. */
export async function deployEcho(cluster: Cluster): Promise<void> {
  const {namespace, name, port, host} = echo;
  await apply(cluster, [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name, namespace},
      spec: {selector: echoLabels, ports: [{name: 'http', port}]},
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: {name: 'connection-per-request', namespace},
      spec: {host, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}},
    },
    deployment(cluster, 'echo', echoLabels, echoImage, port),
  ]);
}

/** A pod from which load is sent. */
export async function deployClient(cluster: Cluster): Promise<void> {
  await apply(cluster, [deployment(cluster, 'client', clientLabels, clientImage)]);
}

/** The service's ClusterIP in a cluster. */
export async function echoAddress({api}: Cluster): Promise<string> {
  const service = await api.get<Resource & {readonly spec: {readonly clusterIP: string}}>(
    `/api/v1/namespaces/${echo.namespace}/services/${echo.name}`,
  );
  return service.spec.clusterIP;
}

function deployment(
  {name: cluster}: Cluster,
  name: string,
  labels: Readonly<Record<string, string>>,
  image: string,
  port?: number,
): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, namespace: echo.namespace},
    spec: {
      selector: {matchLabels: labels},
      template: {
        metadata: {labels: {...labels, [clusterLabel]: cluster}},
        spec: {
          containers: [
            {
              name: 'app',
              image,
              env: [{name: 'CLUSTER', value: cluster}],
              ...(port !== undefined && {ports: [{containerPort: port}]}),
            },
          ],
        },
      },
    },
  };
}

async function apply(cluster: Cluster, objects: readonly object[]): Promise<void> {
  const input = objects.map((object) => stringify(object)).join('---\n');
  await output('kubectl', ['--kubeconfig', cluster.kubeconfig, 'apply', '-f', '-'], {input});
}
