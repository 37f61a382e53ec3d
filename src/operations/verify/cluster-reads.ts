/** The requests that verify sends to one cluster: each at most once, and each refusal remembered. */
import {rbacKinds} from '../../domain/access/rbac.js';
import {remoteSecretLabel} from '../../domain/access/remote-credentials.js';
import {networkLabel} from '../../domain/istio/names.js';
import type {ConfigMapObject, DeploymentObject} from '../../domain/kube/objects.js';
import type {GatewayObject, ServiceObject} from '../../domain/kube/objects.js';
import type {PodObject} from '../../domain/kube/objects.js';
import type {WebhookConfigurationKind, WebhookConfigurationObject} from '../../domain/kube/objects.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {requireContext} from '../../domain/mesh/require.js';
import type {Deps} from '../../engine/deps.js';
import type {KubeApi, PortForward} from '../../tools/kubectl/api.js';

/** The answer of GET /version. */
export interface ApiVersion {
  readonly gitVersion: string;
  readonly major: number;
  readonly minor: number;
}

/** Everything verify may read of a cluster. */
export interface ClusterReads {
  readonly version: () => Promise<ApiVersion>;
  readonly kubeSystem: () => Promise<KubeObject>;
  readonly namespaces: () => Promise<readonly KubeObject[]>;
  readonly deployments: () => Promise<readonly DeploymentObject[]>;
  readonly pods: () => Promise<readonly PodObject[]>;
  readonly configMaps: () => Promise<readonly ConfigMapObject[]>;
  /** The ConfigMaps of this name in all namespaces. */
  readonly bundles: (name: string) => Promise<readonly ConfigMapObject[]>;
  /** Starts that read before anybody knows that it is needed: what comes of it counts only for who asks for it. */
  readonly bundlesAhead: (name: string) => void;
  /** Services of all namespaces that say which network they lead into. */
  readonly networkServices: () => Promise<readonly ServiceObject[]>;
  /** Gateways of the Gateway API that say so; none where that is not installed. */
  readonly networkGateways: () => Promise<readonly GatewayObject[]>;
  /** A Service by name. */
  readonly service: (namespace: string, name: string) => Promise<ServiceObject | undefined>;
  /** Pods of another namespace than Istio's, by their labels. */
  readonly podsOf: (namespace: string, labels: Readonly<Record<string, string>>) => Promise<readonly PodObject[]>;
  /** Every configuration of this kind, its webhooks included. */
  readonly webhookConfigurations: (kind: WebhookConfigurationKind) => Promise<readonly WebhookConfigurationObject[]>;
  /** Metadata of the pods of all namespaces that have a label and have not ended. */
  readonly livingPods: (labelSelector: string) => Promise<readonly KubeObject[]>;
  /** All roles and bindings of the cluster. */
  readonly rbac: () => Promise<readonly KubeObject[]>;
  /** Istio's remote secrets. The one list of Secrets that verify asks for, and only with `--access`. */
  readonly remoteSecrets: () => Promise<readonly KubeObject[]>;
  /** A Secret of Istio's namespace, by name. */
  readonly secret: (name: string) => Promise<KubeObject | undefined>;
  /** Ports of a pod of Istio's namespace, forwarded to this machine. The caller closes them. */
  readonly forward: (pod: string, ports: readonly number[]) => Promise<PortForward>;
  /** How many kinds of reads were allowed. Throws `FORBIDDEN` with every right that is missing. */
  readonly access: () => Promise<{readonly reads: number}>;
}

/** v1 is served since Gateway API 1.0; older installations have v1beta1 alone (gateway-api.sigs.k8s.io: concepts/versioning). */
const gatewayApiVersions = ['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1'] as const;

/** What a finished pod held is gone with it. */
const hasNotEnded = 'status.phase!=Succeeded,status.phase!=Failed';

/** The reads of one cluster. The session is opened at the first of them. */
export function clusterReads(deps: Deps, cluster: MeshCluster, istioNamespace: string): ClusterReads {
  const refusedForwards: MeshError[] = [];
  const asked = new Map<string, Promise<unknown>>();
  /** Read ahead of time, and by nobody since. */
  const unneeded = new Set<string>();
  let api: Promise<KubeApi> | undefined;
  const open = async (): Promise<KubeApi> => {
    const context = requireContext(cluster);
    return (api ??= deps.clusters.open(context));
  };
  const ask = <T>(name: string, request: (opened: KubeApi) => Promise<T>): Promise<T> => {
    const before = asked.get(name);
    if (before) return before as Promise<T>;
    const answer = (async () => {
      try {
        return await request(await open());
      } catch (thrown) {
        throw asMeshError(thrown);
      }
    })();
    asked.set(name, answer);
    return answer;
  };
  const once = <T>(name: string, request: (opened: KubeApi) => Promise<T>): Promise<T> => {
    unneeded.delete(name);
    return ask(name, request);
  };
  const items = async <T extends KubeObject>(list: Promise<{readonly items: readonly T[]}>): Promise<readonly T[]> =>
    (await list).items;
  const v1 = (kind: string) => ({apiVersion: 'v1', kind});
  const here = {namespace: istioNamespace};
  const listBundles =
    (name: string) =>
    (opened: KubeApi): Promise<readonly ConfigMapObject[]> =>
      items(opened.list(v1('ConfigMap'), {fieldSelector: `metadata.name=${name}`}));
  return {
    version: () => once('version', async (opened) => readVersion(await opened.raw('/version'), opened.context)),
    kubeSystem: () => once('kube-system', (opened) => opened.get({...v1('Namespace'), name: 'kube-system'})),
    namespaces: () => once('namespaces', (opened) => items(opened.list(v1('Namespace'), {metadataOnly: true}))),
    deployments: () =>
      once('deployments', (opened) => items(opened.list({apiVersion: 'apps/v1', kind: 'Deployment'}, here))),
    pods: () => once('pods', (opened) => items(opened.list(v1('Pod'), here))),
    configMaps: () => once('configmaps', (opened) => items(opened.list(v1('ConfigMap'), here))),
    bundles: (name) => once(`bundles ${name}`, listBundles(name)),
    bundlesAhead: (name) => {
      const key = `bundles ${name}`;
      if (asked.has(key)) return;
      unneeded.add(key);
      ask(key, listBundles(name)).catch(() => undefined);
    },
    networkServices: () =>
      once('network services', (opened) => items(opened.list(v1('Service'), {labelSelector: networkLabel}))),
    networkGateways: () =>
      once('network gateways', async (opened) => {
        for (const apiVersion of gatewayApiVersions) {
          try {
            return await items(
              opened.list<GatewayObject>({apiVersion, kind: 'Gateway'}, {labelSelector: networkLabel}),
            );
          } catch (thrown) {
            if (asMeshError(thrown).code !== 'NOT_FOUND') throw thrown;
          }
        }
        return [];
      }),
    service: (namespace, name) =>
      once(`service ${namespace}/${name}`, (opened) => opened.find({...v1('Service'), name, namespace})),
    podsOf: (namespace, labels) => {
      const labelSelector = Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
      return once(`pods ${namespace} ${labelSelector}`, (opened) =>
        items(opened.list(v1('Pod'), {namespace, labelSelector})),
      );
    },
    webhookConfigurations: (kind) =>
      once(kind, (opened) => items(opened.list({apiVersion: 'admissionregistration.k8s.io/v1', kind}))),
    livingPods: (labelSelector) =>
      once(`pods ${labelSelector}`, (opened) =>
        items(opened.list(v1('Pod'), {labelSelector, fieldSelector: hasNotEnded, metadataOnly: true})),
      ),
    rbac: async () =>
      (
        await Promise.all(
          rbacKinds.map((kind) =>
            once(kind, (opened) => items(opened.list({apiVersion: 'rbac.authorization.k8s.io/v1', kind}))),
          ),
        )
      ).flat(),
    remoteSecrets: () =>
      once('remote secrets', (opened) => items(opened.list(v1('Secret'), {...here, labelSelector: remoteSecretLabel}))),
    secret: (name) => once(`secret ${name}`, (opened) => opened.find({...v1('Secret'), name, ...here})),
    async forward(pod, ports) {
      try {
        return await deps.clusters.forward(requireContext(cluster), istioNamespace, pod, ports);
      } catch (thrown) {
        const error = asMeshError(thrown);
        if (error.code === 'FORBIDDEN') refusedForwards.push(error);
        throw error;
      }
    },
    async access() {
      const needed = [...asked].filter(([name]) => !unneeded.has(name));
      const answers = await Promise.allSettled(needed.map(([, answer]) => answer));
      const failures = answers.filter((answer) => answer.status === 'rejected').map(({reason}) => asMeshError(reason));
      const [first, ...others] = [...failures, ...refusedForwards].filter(({code}) => code === 'FORBIDDEN');
      if (first) {
        throw new MeshError('FORBIDDEN', [first, ...others].map(({message}) => message).join('; '), {
          hints: first.hints,
        });
      }
      // Where nothing was answered, nothing was allowed either.
      if (failures[0] && failures.length === answers.length) throw failures[0];
      return {reads: answers.length - failures.length};
    },
  };
}

function readVersion(answer: unknown, context: string): ApiVersion {
  const {gitVersion, major, minor} = (answer ?? {}) as Partial<Record<string, unknown>>;
  if (typeof gitVersion !== 'string') {
    throw new MeshError('API_ERROR', `the API server of context "${context}" says no version`);
  }
  // Some providers write `27+` for the minor version.
  const numbers = {major: Number.parseInt(String(major), 10), minor: Number.parseInt(String(minor), 10)};
  if (Number.isNaN(numbers.major) || Number.isNaN(numbers.minor)) {
    throw new MeshError('API_ERROR', `the API server of context "${context}" says "${gitVersion}" and no numbers`);
  }
  return {gitVersion, ...numbers};
}
