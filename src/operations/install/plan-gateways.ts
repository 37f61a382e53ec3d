/** The second phase of `install apply`: the objects of the east-west gateways, and the wait for their addresses. */
import {defined} from '../../domain/defined.js';
import {decideGateways, type LiveGateways, refuseGateways} from '../../domain/install/east-west/decide.js';
import {groupOf} from '../../domain/kube/kinds.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {
  groupOfLanes,
  type Lane,
  type Phase,
  type PhaseRun,
  type Plan,
  type RunSettings,
} from '../../engine/operation.js';
import {readLiveGateways} from '../../observe/installed-cluster.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import type {ApplyOptions, DecidedInstall} from './decide-apply.js';

/** A cluster with Istio, and its gateway after istioctl has run. */
export interface GatewayFacts {
  readonly decided: DecidedInstall;
  readonly live: Observed<LiveGateways>;
}

/** Whether the mesh has, or had, a gateway in a cluster. */
export function concernsGateways({rendered, live: {gateways}}: DecidedInstall): boolean {
  return (
    rendered.eastWest !== undefined ||
    (isKnown(gateways) && decideGateways(gateways.value, undefined).removes.length > 0)
  );
}

/** Returns the phase for clusters where Istio is installed. */
export function gatewayPhase(
  targets: readonly DecidedInstall[],
  concurrency: number,
  options: ApplyOptions,
): Phase<readonly GatewayFacts[]> {
  return {
    title: 'read the gateways',
    gather: (deps) => gatherGateways(deps, targets, concurrency),
    plan: (facts) => planGateways(facts, options),
  };
}

function gatherGateways(
  deps: Deps,
  targets: readonly DecidedInstall[],
  concurrency: number,
): Promise<readonly GatewayFacts[]> {
  return eachCluster(targets, concurrency, async (decided) => {
    const {cluster, rendered} = decided;
    const {namespace, eastWest} = rendered;
    return {decided, live: await observe(() => readLiveGateways(deps, cluster, namespace, eastWest))};
  });
}

function planGateways(facts: readonly GatewayFacts[], options: ApplyOptions): Plan {
  return {
    groups: groupOfLanes(facts.flatMap((one) => lanesOf(one, options))),
    blockers: facts.flatMap(({decided: {cluster, rendered}, live}) => {
      const errors = isKnown(live)
        ? refuseGateways(cluster.name, live.value, rendered.eastWest, options)
        : [live.unknown];
      return errors.map((error) => ({cluster: cluster.name, error}));
    }),
    warnings: [],
  };
}

function lanesOf({decided, live}: GatewayFacts, options: ApplyOptions): readonly Lane[] {
  if (!isKnown(live)) return [];
  const {cluster, rendered} = decided;
  const {eastWest, namespace} = rendered;
  const {writes, removes, addresses} = decideGateways(live.value, eastWest);
  const base = {cluster: cluster.name, context: decided.live.context};
  const actions: readonly Action[] = [
    ...writes.map((object): Action => ({
      ...{kind: 'put-object', ...base, id: idOf(base.cluster, object), object},
      title: `${object.metadata.resourceVersion === undefined ? 'create' : 'replace'} ${describeRef(refOf(object))}`,
    })),
    ...removes.map((object): Action => {
      const title = `delete ${describeRef(refOf(object))}`;
      return defined<Action>({
        ...{kind: 'delete-object', ...base, id: `${idOf(base.cluster, object)}/remove`, ref: refOf(object), title},
        // Otherwise confirmed before istioctl has run.
        confirm:
          decided.change === 'unchanged' ? `${title}, through which other networks reach ${base.cluster}` : undefined,
        preconditions: defined({uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion}),
      });
    }),
    ...(eastWest === undefined || addresses.length > 0
      ? []
      : [
          {
            ...{kind: 'await-address' as const, ...base, id: `${base.cluster}/address`},
            title: 'wait for the address of the east-west gateway',
            ...{namespace, selector: eastWest.kind.serviceSelector(eastWest.place)},
            serviceNames: eastWest.kind.serviceNames,
            withoutBalancer: eastWest.kind.withoutBalancer,
            timeoutMs: options.readinessTimeoutMs,
          },
        ]),
  ];
  if (actions.length === 0) return [];
  const title = `${cluster.name}: ${eastWest === undefined ? 'remove the east-west gateway' : 'expose services to other networks'}`;
  return [{key: cluster.name, cluster: cluster.name, title, actions}];
}

/** What the phase did, or in a dry run would do, with a cluster's objects. */
export interface ChangedObjects {
  /** `Gateway istio-system/cross-network-gateway` */
  readonly applied: readonly string[];
  readonly removed: readonly string[];
}

/** Returns what was done with the objects of a cluster, in all attempts; in a dry run, what would be. */
export function changedObjects(
  {decided: {cluster, rendered}, live}: GatewayFacts,
  {outcomes}: Pick<PhaseRun<unknown>, 'outcomes'>,
  {dryRun}: Pick<RunSettings, 'dryRun'>,
): ChangedObjects {
  const known = [...(rendered.eastWest?.objects ?? []), ...(isKnown(live) ? live.value.objects : [])];
  const done = outcomes.filter(({status}) => status === 'done' || (dryRun !== 'none' && status === 'skipped'));
  const ids = new Set(done.map(({id}) => id));
  const named = (suffix: string): readonly string[] => [
    ...new Set(
      known
        .filter((object) => ids.has(`${idOf(cluster.name, object)}${suffix}`))
        .map((object) => describeRef(refOf(object))),
    ),
  ];
  return {applied: named(''), removed: named('/remove')};
}

/** Unique in its plan, and stable between runs. */
function idOf(cluster: string, {apiVersion, metadata: {name}}: KubeObject): string {
  return `${cluster}/gateways.${groupOf(apiVersion)}/${name}`;
}
