/** What `verify --traffic` does in each cluster. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem} from '../../domain/errors.js';
import type {ControlPlaneFacts} from '../../domain/facts/facts.js';
import {formatMinute, plural} from '../../domain/format.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {givesEndpoints} from '../../domain/discovery/pairs.js';
import {identityProblems, knownUids} from '../../domain/mesh/identity.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import {advice, fixWith, inspectWith, type Suggestion, words} from '../../domain/suggest/suggestion.js';
import {
  echoHost,
  hasTrafficLabels,
  isKept,
  ownerAnnotation,
  runAnnotation,
  trafficNamespace,
  untilAnnotation,
} from '../../domain/traffic/names.js';
import {namespaceLabels, unreadBy, usesZtunnel} from '../../domain/traffic/namespace-labels.js';
import {clientPod, trafficNamespaceObject, trafficObjects, type TrafficSpec} from '../../domain/traffic/objects.js';
import {groupOf, type Plan, emptyPlan} from '../../engine/operation.js';
import type {TrafficState} from '../../observe/traffic-state.js';
import {targetsAtOnce} from '../../domain/traffic/rounds.js';
import type {DeployTraffic, RemoveTraffic, SendRequests, TrafficPlace} from '../../engine/traffic-action.js';

/** How long each step may take in a cluster. Milliseconds. Pulling an image takes most of the first. */
const deployTimeoutMs = 180_000;
const removeTimeoutMs = 120_000;

/** The longest time that requests take beyond the time after which they are a finding. Milliseconds. */
const lastRequestsMs = 60_000;

/** The clocks of two machines may differ. Milliseconds. */
const clockMs = 120_000;

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
  /** Identify the run and its work directory. */
  readonly run: string;
  readonly owner: string;
  readonly now: Date;
  /** How long requests may fail. Milliseconds. */
  readonly timeoutMs: number;
  readonly concurrency: number;
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
export function planDeploy(facts: TrafficFactsOfRun): DeployPlan {
  const {mesh, clusters, run, owner} = facts;
  const uids = knownUids(
    clusters.map(({cluster, state}) => ({cluster, seen: isKnown(state) ? {uid: {value: state.value.uid}} : undefined})),
  );
  const mismatches = new Map(identityProblems(mesh, uids, false).map(({cluster, error}) => [cluster, error]));
  const excluded = new Map<string, ErrorReport>();
  const usable = clusters.flatMap((one) => {
    const {cluster, state} = one;
    const error = isKnown(state)
      ? (mismatches.get(cluster.name) ??
        refusal(cluster.name, state.value, facts) ??
        unreadError(cluster, state.value.namespace, facts))
      : state.unknown;
    if (error) excluded.set(cluster.name, error);
    return isKnown(state) && !error ? [{...one, state: state.value}] : [];
  });
  const contexts = new Map(usable.map(({cluster, state}) => [cluster.name, state.context]));
  const taking = usable.filter(({cluster}) => cluster.role !== 'remote' || contexts.has(cluster.primary ?? ''));
  for (const {cluster} of usable.filter((one) => !taking.includes(one)))
    excluded.set(cluster.name, withoutPrimary(cluster));
  const targets = taking.map(({cluster}) => cluster.name);
  const hold = {run, owner, until: endOf(facts, targets.length)};
  const participants = taking.map((one): Participant => {
    const {cluster, state} = one;
    const {name} = cluster;
    const {context, namespace, holder} = state;
    const spec: TrafficSpec = {
      cluster: name,
      targets,
      clusters: mesh.clusters.map((other) => other.name),
      image: mesh.verify.image,
      namespaceLabels: labelsFor(cluster, namespace, facts),
      isAmbient: usesZtunnel(mesh),
      assignsUsers: mesh.istio.profile.startsWith('openshift'),
      hold,
    };
    const keepsNamespace = isKept(namespace);
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
        leftover: holder || keepsNamespace ? defined({run: holder?.metadata.annotations?.[runAnnotation]}) : undefined,
        keepsNamespace,
        namespace: keepsNamespace ? undefined : trafficNamespaceObject(spec),
        objects: trafficObjects(spec),
        probe: spec.isAmbient ? undefined : clientPod(spec),
        protectedBy: cluster.role === 'remote' ? contexts.get(cluster.primary ?? '') : undefined,
        run,
        timeoutMs: deployTimeoutMs,
        removeTimeoutMs,
      }),
    };
  });
  const deploys = ofBoth(participants, mesh, ({deploy}) => deploy);
  return {...emptyPlan, groups: [...groupOf(deploys.primaries), ...groupOf(deploys.remotes)], participants, excluded};
}

/** Separates what is for primaries from what is for remotes. */
function ofBoth<T>(
  participants: readonly Participant[],
  {clusters}: Pick<Mesh, 'clusters'>,
  of: (participant: Participant) => T,
): {readonly primaries: readonly T[]; readonly remotes: readonly T[]} {
  const remotes = new Set(clusters.filter(({role}) => role === 'remote').map(({name}) => name));
  return {
    primaries: participants.filter(({name}) => !remotes.has(name)).map(of),
    remotes: participants.filter(({name}) => remotes.has(name)).map(of),
  };
}

/** The policies of a remote's pods are those in its primary, whose istiod reads no others. */
function withoutPrimary({name, primary = 'its primary'}: MeshCluster): ErrorReport {
  return problem(
    'NOT_READY',
    `nothing is created in ${name}: ${primary}, whose policies protect its pods, does not take part`,
  );
}

/** When the run has ended at the latest. Each step works on several clusters, or targets, at a time. */
function endOf({now, timeoutMs, concurrency}: TrafficFactsOfRun, count: number): Date {
  const waves = Math.ceil(count / concurrency);
  const requestsMs = Math.ceil(count / targetsAtOnce) * (timeoutMs + lastRequestsMs);
  // What an earlier run left is removed in two steps, and so is what this one creates; after an abort, once more.
  return new Date(now.getTime() + clockMs + waves * (deployTimeoutMs + requestsMs + 6 * removeTimeoutMs));
}

/** The labels of a namespace to create; those of one that stays cannot be changed. */
function labelsFor(
  {name}: MeshCluster,
  namespace: KubeObject | undefined,
  {mesh, clusters}: TrafficFactsOfRun,
): Labels {
  const own = clusters.find(({cluster}) => cluster.name === name);
  if (isKept(namespace)) return namespace?.metadata.labels ?? {};
  return namespaceLabels(
    mesh,
    own?.controlPlanes ?? [],
    clusters.flatMap((one) => one.controlPlanes),
  );
}

type Labels = Readonly<Record<string, string>>;

/** Why the namespace would not be part of the mesh: an istiod reads only other namespaces. */
function unreadError(
  cluster: MeshCluster,
  namespace: KubeObject | undefined,
  facts: TrafficFactsOfRun,
): ErrorReport | undefined {
  const labels = labelsFor(cluster, namespace, facts);
  const reader = facts.clusters.find(({controlPlanes}) => unreadBy(labels, controlPlanes));
  if (!reader) return undefined;
  return problem(
    'NOT_READY',
    `the discoverySelectors of ${reader.cluster.name} do not match namespace ${trafficNamespace} of ${cluster.name}`,
    isKept(namespace)
      ? 'add labels that match to the namespace'
      : 'selectors with matchExpressions only: create the namespace with labels that match (access role --role traffic)',
  );
}

/** Why nothing may be created in a cluster. */
function refusal(
  cluster: string,
  {namespace, holder, context}: TrafficState,
  {owner, now}: TrafficFactsOfRun,
): ErrorReport | undefined {
  if (!namespace) return undefined;
  if (!hasTrafficLabels(namespace)) {
    const show = inspectWith.kubectl({context}, words`get namespace ${trafficNamespace} -o yaml`);
    const message = `namespace ${trafficNamespace} of ${cluster} was not created by this program`;
    return problem('FOREIGN_OWNER', message, advice`it is not changed: ${show}`);
  }
  const {[ownerAnnotation]: other, [untilAnnotation]: until = ''} = holder?.metadata.annotations ?? {};
  if (other === undefined || other === owner || !(Date.parse(until) > now.getTime())) return undefined;
  return problem(
    'CONFLICT',
    `verify --traffic of another work directory uses namespace ${trafficNamespace} of ${cluster}, until ${formatMinute(until)} at the latest`,
    advice`if it was killed, remove what it left: ${cleanUp({context}, isKept(namespace))}`,
  );
}

/** The command that removes what a run left behind. */
export function cleanUp(cluster: {readonly context?: string}, keepsNamespace: boolean): Suggestion {
  const kinds = 'deployments,services,authorizationpolicies,peerauthentications,serviceaccounts';
  return keepsNamespace
    ? fixWith.kubectl(cluster, words`-n ${trafficNamespace} delete ${kinds} -l kubectl-mesh/traffic=true`)
    : fixWith.kubectl(cluster, words`delete namespace ${trafficNamespace}`);
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
  const named = new Map(mesh.clusters.map((cluster) => [cluster.name, cluster]));
  const isReached = (from: string, to: string): boolean => {
    const [self, peer] = [named.get(from), named.get(to)];
    return from === to || (self !== undefined && peer !== undefined && givesEndpoints(mesh.clusters, self, peer));
  };
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
            targets: ready
              .filter((target) => isReached(name, target.participant.name))
              .map((target) => ({
                cluster: target.participant.name,
                host: echoHost(target.participant.name, clusters),
                pods: target.echo,
                policyContext: target.participant.deploy.protectedBy ?? target.participant.context,
              })),
            istioNamespace: mesh.istio.namespace,
            timeoutMs,
          },
        ],
  );
  return {...emptyPlan, groups: groupOf(actions)};
}

/** Plans the removal of everything that may have been created. */
export function planRemoval(participants: readonly Participant[], mesh: Mesh, run: string): Plan {
  const actions = ofBoth(participants, mesh, ({name, context, keepsNamespace}): RemoveTraffic => ({
    kind: 'remove-traffic',
    id: `${name}/traffic/remove`,
    cluster: name,
    context,
    keepsNamespace,
    run,
    title: keepsNamespace
      ? `remove the objects in namespace ${trafficNamespace}`
      : `delete namespace ${trafficNamespace}`,
    timeoutMs: removeTimeoutMs,
  }));
  return {...emptyPlan, groups: [...groupOf(actions.remotes), ...groupOf(actions.primaries)]};
}
