/** The objects that `verify --traffic` creates in one cluster. */
import type {KubeObject} from '../kube/object.js';
import {
  clientName,
  echoName,
  echoService,
  ownerAnnotation,
  runAnnotation,
  runLabel,
  targetLabel,
  trafficAccount,
  trafficLabels,
  trafficNamespace as namespace,
  trafficPort,
  untilAnnotation,
} from './names.js';

/** What distinguishes the objects of one cluster. */
export interface TrafficSpec {
  readonly cluster: string;
  /** All clusters that take part, and all of mesh.yaml, by which Services are named. */
  readonly targets: readonly string[];
  readonly clusters: readonly string[];
  readonly image: string;
  /** The labels with which the namespace gets Istio's proxies, or ztunnel, and with which istiod reads it. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Whether its pods use ztunnel. */
  readonly isAmbient: boolean;
  /** Whether the API server assigns the user of containers, and rejects others (OpenShift). */
  readonly assignsUsers: boolean;
  readonly hold: Hold;
}

/** Which run holds the namespace. */
export interface Hold {
  /** Random: no two runs share one. */
  readonly run: string;
  /** Identifies the work directory: under its lock, no other run of it is alive. */
  readonly owner: string;
  /** When this run has ended at the latest. */
  readonly until: Date;
}

/** The namespace; without a run that holds it, one that stays. */
export function trafficNamespaceObject({
  namespaceLabels,
  hold,
}: Pick<TrafficSpec, 'namespaceLabels'> & Partial<Pick<TrafficSpec, 'hold'>>): KubeObject {
  const labels = {...trafficLabels, ...namespaceLabels};
  const metadata = {name: namespace, labels, ...(hold && {annotations: annotationsOf(hold)})};
  return {apiVersion: 'v1', kind: 'Namespace', metadata};
}

function annotationsOf({run, owner, until}: Hold): Readonly<Record<string, string>> {
  return {[runAnnotation]: run, [ownerAnnotation]: owner, [untilAnnotation]: until.toISOString()};
}

/** Everything in the namespace, in creation order: first what shows who holds it, and the rules before the pods that they protect. */
export function trafficObjects(spec: TrafficSpec): readonly KubeObject[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {...meta(trafficAccount), annotations: annotationsOf(spec.hold)},
      automountServiceAccountToken: false,
    },
    // v1beta1 is served by every version from 1.6 to 1.32 (istio/istio manifests/charts/base/files/crd-all.gen.yaml).
    {
      apiVersion: 'security.istio.io/v1beta1',
      kind: 'PeerAuthentication',
      metadata: ofRun('strict', spec),
      spec: {mtls: {mode: 'STRICT'}},
    },
    {
      apiVersion: 'security.istio.io/v1beta1',
      kind: 'AuthorizationPolicy',
      metadata: ofRun('only-this-namespace', spec),
      spec: {action: 'ALLOW', rules: [{from: [{source: {namespaces: [namespace]}}]}]},
    },
    ...spec.targets.map((target) => service(target, spec)),
    deployment(echoName, spec),
    deployment(clientName, spec),
  ];
}

/** A pod as the Deployment of the client creates it, to find out whether it would get a proxy. */
export function clientPod(spec: TrafficSpec): KubeObject {
  const {metadata, spec: pod} = podTemplate(clientName, spec);
  return {apiVersion: 'v1', kind: 'Pod', metadata: {...metadata, name: `${clientName}-dry-run`, namespace}, spec: pod};
}

function meta(name: string): {name: string; namespace: string; labels: Readonly<Record<string, string>>} {
  return {name, namespace, labels: trafficLabels};
}

/** The metadata of a policy: pods of remotes start only under those of their own run. */
function ofRun(name: string, {hold}: TrafficSpec): ReturnType<typeof meta> {
  const {labels, ...metadata} = meta(name);
  return {...metadata, labels: {...labels, [runLabel]: hold.run}};
}

/** A Service that only pods of its cluster belong to: no locality and no other cluster can answer in their place. */
function service(target: string, {clusters, isAmbient, hold}: TrafficSpec): KubeObject {
  const metadata = meta(echoService(target, clusters));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    // Ambient mode treats Services as local by default (istio/istio pilot/pkg/serviceregistry/ambient, serviceScopeConfigs).
    metadata: isAmbient ? {...metadata, labels: {...metadata.labels, 'istio.io/global': 'true'}} : metadata,
    spec: {
      selector: {app: echoName, [targetLabel]: target, [runLabel]: hold.run},
      ports: [{name: 'http', port: trafficPort, targetPort: trafficPort}],
    },
  };
}

function deployment(name: string, spec: TrafficSpec): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name),
    spec: {replicas: 1, selector: {matchLabels: {app: name}}, template: podTemplate(name, spec)},
  };
}

/** Meets the Pod Security Standard "restricted" (kubernetes.io: concepts/security/pod-security-standards). */
function podTemplate(name: string, {cluster, image, assignsUsers, hold}: TrafficSpec) {
  return {
    metadata: {
      labels: {...trafficLabels, app: name, [targetLabel]: cluster, [runLabel]: hold.run},
      // Where the installation does not rewrite probes, mutual TLS rejects them (istio/istio pkg/kube/inject/app_probe.go).
      annotations: {'sidecar.istio.io/rewriteAppHTTPProbers': 'true'},
    },
    spec: {
      serviceAccountName: trafficAccount,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: {seccompProfile: {type: 'RuntimeDefault'}},
      containers: [
        {
          name: 'agnhost',
          image,
          args: ['netexec', `--http-port=${String(trafficPort)}`, '--udp-port=-1'],
          ports: [{name: 'http', containerPort: trafficPort}],
          // Without its UDP server, which proxies do not protect, netexec never reports itself healthy (netexec.go, healthzHandler).
          readinessProbe: {httpGet: {path: '/hostname', port: trafficPort}, periodSeconds: 1},
          resources: {requests: {cpu: '10m', memory: '32Mi'}, limits: {memory: '64Mi'}},
          securityContext: {
            runAsNonRoot: true,
            ...(assignsUsers ? {} : {runAsUser: 65_532, runAsGroup: 65_532}),
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: {drop: ['ALL']},
          },
        },
      ],
    },
  };
}
