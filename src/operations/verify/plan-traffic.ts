/** What `verify --traffic` does in each cluster. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem} from '../../domain/errors.js';
import type {ControlPlaneFacts} from '../../domain/facts/facts.js';
import {formatMinute, plural} from '../../domain/format.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {identityProblems, knownUids} from '../../domain/mesh/identity.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import {advice, fixWith, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {
  echoHost,
  keepLabel,
  runAnnotation,
  trafficLabels,
  trafficNamespace,
  untilAnnotation,
} from '../../domain/traffic/names.js';
import {namespaceLabels, usesZtunnel} from '../../domain/traffic/namespace-labels.js';
import {clientPod, trafficNamespaceObject, trafficObjects, type TrafficSpec} from '../../domain/traffic/objects.js';
import {groupOf, type Plan, emptyPlan} from '../../engine/operation.js';
import type {DeployTraffic, RemoveTraffic, SendRequests, TrafficPlace} from '../../engine/traffic-action.js';

/** How long each step may take. Milliseconds. Pulling an image takes most of the first. */
const deployTimeoutMs = 180_000;
const removeTimeoutMs = 120_000;

/** What a cluster has before the run. */
export interface TrafficState {
  readonly context: string;
  readonly uid: string;
  /** The namespace; absent if it does not exist. */
  readonly namespace?: KubeObject;
  /** The Deployment of an earlier run, or one that still runs. */
  readonly deployment?: KubeObject;
}

/** A cluster, what it has, and its control planes as far as they are known. */
export interface TrafficCluster {
  readonly cluster: MeshCluster;
  readonly state: Observed<TrafficState>;
  readonly controlPlanes: readonly ControlPlaneFacts[];
}

/** What all clusters have in common. */
export interface TrafficFactsOfRun {
  readonly mesh: Mesh;
  readonly clusters: readonly TrafficCluster[];
  /** Identifies the work directory of this run: under its lock, no other run of it is alive. */
  readonly run: string;
  readonly now: Date;
  /** How long requests may fail. Milliseconds. */
  readonly timeoutMs: number;
}

/** A cluster that takes part. */
export interface Participant extends TrafficPlace {
  readonly name: string;
  readonly context: string;
  readonly deploy: DeployTraffic;
}

/** The clusters that take part, and why the others do not. */
export interface Participation {
  readonly participants: readonly Participant[];
  readonly excluded: ReadonlyMap<string, ErrorReport>;
}

/** The plan of the first phase. */
export type DeployPlan = Plan & Participation;

/** Decides which clusters take part, and plans what is created in them. */
export function planDeploy({mesh, clusters, run, now, timeoutMs}: TrafficFactsOfRun): DeployPlan {
  const uids = knownUids(
    clusters.map(({cluster, state}) => ({cluster, seen: isKnown(state) ? {uid: {value: state.value.uid}} : undefined})),
  );
  const mismatches = new Map(identityProblems(mesh, uids, false).map(({cluster, error}) => [cluster, error]));
  const excluded = new Map<string, ErrorReport>();
  const taking = clusters.flatMap(({cluster, state, controlPlanes}) => {
    const error = isKnown(state)
      ? (mismatches.get(cluster.name) ?? refusal(cluster.name, state.value, run, now))
      : state.unknown;
    if (error || !isKnown(state)) {
      if (error) excluded.set(cluster.name, error);
      return [];
    }
    return [{cluster, state: state.value, controlPlanes}];
  });
  const targets = taking.map(({cluster}) => cluster.name);
  const participants = taking.map(({cluster: {name}, state, controlPlanes}): Participant => {
    const spec: TrafficSpec = {
      cluster: name,
      targets,
      clusters: mesh.clusters.map((one) => one.name),
      image: mesh.verify.image,
      namespaceLabels: namespaceLabels(mesh, controlPlanes),
      isAmbient: usesZtunnel(mesh),
      run,
      until: new Date(now.getTime() + deployTimeoutMs + timeoutMs + 3 * removeTimeoutMs),
    };
    const {context} = state;
    const keepsNamespace = state.namespace?.metadata.labels?.[keepLabel] === 'true';
    const isLeftover = keepsNamespace ? state.deployment !== undefined : state.namespace !== undefined;
    return {
      name,
      context,
      keepsNamespace,
      deploy: defined<DeployTraffic>({
        kind: 'deploy-traffic',
        id: `${name}/traffic`,
        cluster: name,
        context,
        title: `create${keepsNamespace ? ' in' : ''} namespace ${trafficNamespace}: 2 pods (${spec.image}), ${plural(targets.length, 'Service')}, PeerAuthentication, AuthorizationPolicy, ServiceAccount; all are removed at the end`,
        leftover: isLeftover ? {keepsNamespace} : undefined,
        namespace: keepsNamespace ? undefined : trafficNamespaceObject(spec),
        objects: trafficObjects(spec),
        probe: spec.isAmbient ? undefined : clientPod(spec),
        timeoutMs: deployTimeoutMs,
      }),
    };
  });
  return {...emptyPlan, groups: groupOf(participants.map(({deploy}) => deploy)), participants, excluded};
}

/** Why nothing may be created in a cluster. */
function refusal(
  cluster: string,
  {namespace, deployment, context}: TrafficState,
  run: string,
  now: Date,
): ErrorReport | undefined {
  if (!namespace) return undefined;
  const labels = namespace.metadata.labels ?? {};
  if (!Object.entries(trafficLabels).every(([key, value]) => labels[key] === value)) {
    const show = inspectWith.kubectl({context}, words`get namespace ${trafficNamespace} -o yaml`);
    const message = `namespace ${trafficNamespace} of ${cluster} was not created by this program`;
    return problem('FOREIGN_OWNER', message, advice`it is not changed: ${show}`);
  }
  const {[runAnnotation]: other, [untilAnnotation]: until = ''} = deployment?.metadata.annotations ?? {};
  if (other === undefined || other === run || !(Date.parse(until) > now.getTime())) return undefined;
  const remove = fixWith.kubectl({context}, words`delete namespace ${trafficNamespace}`);
  return problem(
    'CONFLICT',
    `verify --traffic of another work directory uses namespace ${trafficNamespace} of ${cluster}, until ${formatMinute(until)} at the latest`,
    advice`if it was killed, remove what it left: ${remove}`,
  );
}

/** The ready pods of a cluster. */
export interface ReadyPods {
  readonly participant: Participant;
  readonly echo: readonly string[];
  readonly client: readonly string[];
}

/** Plans the requests: from each cluster with ready pods to each such cluster. */
export function planRequests(ready: readonly ReadyPods[], mesh: Mesh, timeoutMs: number): Plan {
  const clusters = mesh.clusters.map(({name}) => name);
  const actions = ready.flatMap(({participant: {name, context}, client: [clientName]}): readonly SendRequests[] =>
    clientName === undefined
      ? []
      : [
          {
            kind: 'send-requests',
            id: `${name}/requests`,
            cluster: name,
            context,
            title: `send requests to ${plural(ready.length, 'cluster')}`,
            clientPod: clientName,
            targets: ready.map((target) => ({
              cluster: target.participant.name,
              context: target.participant.context,
              host: echoHost(target.participant.name, clusters),
              pods: target.echo,
            })),
            istioNamespace: mesh.istio.namespace,
            timeoutMs,
          },
        ],
  );
  return {...emptyPlan, groups: groupOf(actions)};
}

/** Plans the removal of everything that may have been created. */
export function planRemoval(participants: readonly Participant[]): Plan {
  const actions = participants.map(({name, context, keepsNamespace}): RemoveTraffic => ({
    kind: 'remove-traffic',
    id: `${name}/traffic/remove`,
    cluster: name,
    context,
    keepsNamespace,
    title: keepsNamespace
      ? `remove the objects in namespace ${trafficNamespace}`
      : `delete namespace ${trafficNamespace}`,
    timeoutMs: removeTimeoutMs,
  }));
  return {...emptyPlan, groups: groupOf(actions)};
}
