/** Reads control planes and gateways from Deployments, pods and ConfigMaps in Istio's namespace. */
import {defined} from '../../defined.js';
import {
  defaultBundleName,
  defaultRevision,
  gatewayNameOf,
  ofRevision,
  proxyContainer,
  proxyNetworkVariable,
  publishedListsName,
} from '../../istio/names.js';
import * as z from 'zod';
import {MeshError} from '../../errors.js';
import {istiodClusterID, orDefault, proxyVariable} from '../../istio/cluster-id.js';
import {istiodContainer, istiodTag} from '../../istio/image.js';
import {parseBool} from '../../istio/environment.js';
import {resolveRunning} from '../../istio/running-version.js';
import {ambientVariable} from '../../istio/features.js';
import type {KubeObject} from '../../kube/object.js';
import {labelSelectorList} from '../../kube/shapes.js';
import type {ConfigMapObject, Container, DeploymentObject, LabelSelector} from '../../kube/objects.js';
import {crlFileName} from '../../x509/crl.js';
import {readYaml, word} from './yaml.js';
import type {ControlPlaneFacts, GatewayFacts, PodFacts, WorkloadFacts} from '../facts.js';

/** The objects that both are read from. */
export interface ControlPlaneObjects {
  readonly deployments: readonly DeploymentObject[];
  readonly configMaps: readonly ConfigMapObject[];
  /** The pods of a Deployment. */
  readonly podsOf: (deployment: DeploymentObject) => readonly PodFacts[];
}

/** Istio's own default (istio/istio pkg/config/mesh/mesh.go, DefaultMeshConfig). */
const defaultTrustDomain = 'cluster.local';

/** The istiods of all revisions. Throws `API_ERROR` if a ConfigMap of Istio is unreadable. */
export function readControlPlanes(objects: ControlPlaneObjects): readonly ControlPlaneFacts[] {
  return objects.deployments
    .filter((one) => isIstiod(one) && !isBeingDeleted(one))
    .map((deployment) => readControlPlane(deployment, objects));
}

/** All gateway Deployments: from istioctl, the gateway chart and the Gateway API. */
export function readGateways({deployments, podsOf}: Omit<ControlPlaneObjects, 'configMaps'>): readonly GatewayFacts[] {
  return deployments
    .filter((one) => isGateway(one) && !isBeingDeleted(one))
    .map((deployment) => {
      // The proxy container (istio/istio manifests/charts/gateway/templates/deployment.yaml), otherwise the first container.
      const {containers} = deployment.spec.template.spec;
      const proxy = containers.find(({name}) => name === proxyContainer) ?? containers[0];
      const workload = readWorkload(deployment, podsOf(deployment), proxy);
      const {[proxyNetworkVariable]: network, [proxyVariable]: clusterID} = workload.env;
      return defined({workload, network, clusterID});
    });
}

/** Whether a Deployment is an istiod (`app: istiod` in every version since 1.6). */
export function isIstiod({metadata}: KubeObject): boolean {
  return metadata.labels?.app === 'istiod';
}

/** Whether a Deployment is an istiod in ambient mode. */
export function enablesAmbient(deployment: DeploymentObject): boolean {
  const {env = []} = istiodContainer(deployment.spec.template.spec.containers) ?? {};
  return isIstiod(deployment) && parseBool(env.findLast(({name}) => name === ambientVariable)?.value, false);
}

/** Whether it was deleted and only waits for its pods to terminate: it is not judged any more. */
export function isBeingDeleted({metadata}: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Whether a Deployment is a gateway, from istioctl, the gateway chart or the Gateway API. */
export function isGateway({metadata: {labels = {}}, spec}: DeploymentObject): boolean {
  const component = labels['operator.istio.io/component'];
  const chart = labels['helm.sh/chart'] ?? '';
  return (
    component === 'IngressGateways' ||
    component === 'EgressGateways' ||
    gatewayNameOf(labels) !== undefined ||
    chart.startsWith('gateway-') ||
    (spec.selector.matchLabels?.istio ?? '').endsWith('gateway')
  );
}

function readControlPlane(deployment: DeploymentObject, objects: ControlPlaneObjects): ControlPlaneFacts {
  const revision = deployment.metadata.labels?.['istio.io/rev'] ?? defaultRevision;
  const meshConfig = readOfRevision(meshConfigSchema, objects.configMaps, {name: 'istio', key: 'mesh', revision});
  const {global, sidecarInjectorWebhook} = readOfRevision(valuesSchema, objects.configMaps, {
    name: 'istio-sidecar-injector',
    key: 'values',
    revision,
  });
  const {containers} = deployment.spec.template.spec;
  const workload = readWorkload(deployment, objects.podsOf(deployment), istiodContainer(containers));
  const {env} = workload;
  const tag = istiodTag(containers);
  const {text, version, status} = resolveRunning(deployment);
  const bundleName = nonEmpty(env.PILOT_CA_CERT_CONFIGMAP ?? global.trustBundleName) ?? defaultBundleName;
  return defined({
    revision,
    workload,
    clusterID: istiodClusterID(containers),
    proxyClusterID: proxyClusterIDIn(global),
    network: global.network,
    meshID: global.meshID,
    trustDomain: meshConfig.trustDomain,
    tag,
    version,
    versionStatus: status,
    labeledVersion: status === 'unparsed' || text === tag ? undefined : text,
    bundleName: parseBool(env.ENABLE_CLUSTER_TRUST_BUNDLE_API, false) ? undefined : bundleName,
    discoverySelectors: readSelectors(meshConfig, revision),
    allServicesGlobal: meshConfig.serviceScopeConfigs.some((entry) => entry !== undefined) ? true : undefined,
    publishesLists: publishesLists(objects.configMaps, env) ? true : undefined,
    injectsByDefault: sidecarInjectorWebhook.enableNamespacesByDefault ? true : undefined,
  });
}

/** Reports whether istiod distributes revocation lists (istio/istio pilot/pkg/features/experimental.go, PILOT_CRL_CONFIGMAP). */
function publishesLists(configMaps: readonly ConfigMapObject[], env: Readonly<Record<string, string>>): boolean {
  const name = nonEmpty(env.PILOT_CRL_CONFIGMAP) ?? publishedListsName;
  return configMaps.some(({metadata, data}) => metadata.name === name && (data?.[crlFileName] ?? '').trim() !== '');
}

/** The clusterName in the injector's values. Absent values, and one that is not a text, leave it unknown. */
function proxyClusterIDIn({multiCluster}: z.output<typeof valuesSchema>['global']): string | undefined {
  if (multiCluster === undefined) return undefined;
  const clusterName = multiCluster.clusterName ?? '';
  return typeof clusterName === 'string' ? orDefault(clusterName) : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function readWorkload(
  {metadata, spec}: DeploymentObject,
  pods: readonly PodFacts[],
  {env = []}: Partial<Container> = {},
): WorkloadFacts {
  return {
    name: metadata.name,
    desired: spec.replicas ?? 1,
    pods,
    env: Object.fromEntries(env.flatMap(({name, value}) => (value === undefined ? [] : [[name, value] as const]))),
  };
}

const valuesSchema = z.object({
  global: z
    .object({
      network: word,
      meshID: word,
      trustBundleName: word,
      multiCluster: z.object({clusterName: z.unknown()}).catch({clusterName: undefined}),
    })
    .partial()
    .catch({}),
  sidecarInjectorWebhook: z
    .object({enableNamespacesByDefault: z.boolean().catch(false)})
    .catch({enableNamespacesByDefault: false}),
});
/** A selector that matches everything: absent or empty (istio/istio pilot/pkg/serviceregistry/ambient/services.go). */
const anySelector = z.object({matchLabels: z.object({}).strict(), matchExpressions: z.array(z.never())}).partial();
/** The scope of all Services: an entry with selectors that match only some of them is of no interest. */
const scopeConfigSchema = z
  .object({
    scope: z.literal('GLOBAL'),
    namespaceSelector: anySelector.optional(),
    servicesSelector: anySelector.optional(),
  })
  .optional()
  .catch(undefined);
const meshConfigSchema = z.object({
  trustDomain: z.string().catch(defaultTrustDomain),
  discoverySelectors: z.unknown().optional(),
  serviceScopeConfigs: z.array(scopeConfigSchema).catch([]),
});
/** Parses YAML in a ConfigMap of one revision; one that does not exist counts as empty. Throws `API_ERROR`. */
export function readOfRevision<T>(
  schema: z.ZodType<T>,
  configMaps: readonly ConfigMapObject[],
  {name, key, revision}: {readonly name: string; readonly key: string; readonly revision: string},
): T {
  const object = ofRevision(name, revision);
  const text = configMaps.find(({metadata}) => metadata.name === object)?.data?.[key];
  return readYaml(schema, text, `ConfigMap ${object} does not contain valid YAML`);
}

/** The namespaces that a revision's istiod serves; empty: all. Throws `API_ERROR` if its mesh config is unreadable. */
export function readDiscoverySelectors(
  configMaps: readonly ConfigMapObject[],
  revision: string,
): readonly LabelSelector[] {
  return readSelectors(readOfRevision(meshConfigSchema, configMaps, {name: 'istio', key: 'mesh', revision}), revision);
}

/** Users write them by hand, and only istiod validates them. */
function readSelectors(
  {discoverySelectors: value}: z.output<typeof meshConfigSchema>,
  revision: string,
): readonly LabelSelector[] {
  const read = labelSelectorList.safeParse(value ?? []);
  if (read.success) return read.data;
  const what = `discoverySelectors of ConfigMap ${ofRevision('istio', revision)} are not label selectors`;
  throw new MeshError('API_ERROR', what, {cause: read.error});
}
