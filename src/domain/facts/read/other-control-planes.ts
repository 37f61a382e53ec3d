/** Finds the control planes of other namespaces: they may write the same trust bundles as Istio's own namespace. */
import * as z from 'zod';
import {defined} from '../../defined.js';
import {parseBool} from '../../istio/environment.js';
import {bundleLockName, defaultBundleName, defaultRevision} from '../../istio/names.js';
import {newestKnown} from '../../istio/versions.js';
import type {KubeObject} from '../../kube/object.js';
import type {ConfigMapObject, DeploymentObject} from '../../kube/objects.js';
import type {OtherControlPlane} from '../facts.js';
import {isBeingDeleted, readControlPlanes, readDiscoverySelectors} from './control-plane.js';
import {readYaml} from './yaml.js';

/** The objects of all namespaces. */
export interface ControlPlaneTraces {
  readonly istioNamespace: string;
  readonly now: Date;
  readonly deployments: readonly DeploymentObject[];
  /** Metadata of the ConfigMaps named {@link bundleLockName}. */
  readonly locks: readonly KubeObject[];
}

/** A control plane, before its mesh config is read. */
export interface ControlPlaneTrace {
  readonly namespace: string;
  readonly revision: string;
  /** Absent: only its lock was found. */
  readonly deployment?: DeploymentObject;
  /** The pod that holds the lock; absent: only its Deployment was found. */
  readonly leader?: string;
}

/** An istiod renews its lock every 7 to 15 seconds; after 30 another one takes it (leaderelection.go). */
const renewedWithinMs = 2 * 60_000;
/** How much the clocks of this machine and of the cluster may differ. */
const clockDifferenceMs = 60 * 60_000;

const annotation = 'control-plane.alpha.kubernetes.io/leader';
/** pilot/pkg/leaderelection/k8sleaderelection/k8sresourcelock/interface.go, LeaderElectionRecord. */
const record = z.object({
  holderIdentity: z.string().catch(''),
  /** The leader's revision, with a prefix if it manages the cluster from outside. */
  holderKey: z.string().optional().catch(undefined),
  renewTime: z.coerce.date().optional().catch(undefined),
});

interface Lock {
  readonly namespace: string;
  readonly holder: string;
  readonly revision: string;
  readonly renewedAt: number;
}

/**
 * Returns the control planes of other namespaces. One whose lock is held writes bundles here. A Deployment alone proves less:
 * its istiod may not have started, or may manage another cluster. Throws `API_ERROR` if a lock is unreadable.
 */
export function otherControlPlanes({
  istioNamespace,
  now,
  deployments,
  locks,
}: ControlPlaneTraces): readonly ControlPlaneTrace[] {
  const isOther = ({metadata}: KubeObject): boolean => metadata.namespace !== istioNamespace;
  const running = deployments.filter((one) => isOther(one) && !isBeingDeleted(one) && one.spec.replicas !== 0);
  const held = locks.map(readLock);
  // The locks are compared with each other, because this machine's clock may differ from the cluster's.
  const latest = Math.max(now.getTime() - clockDifferenceMs, ...held.map(({renewedAt}) => renewedAt));
  const alive = held.filter(
    ({namespace, holder, renewedAt}) =>
      namespace !== istioNamespace && holder !== '' && renewedAt >= latest - renewedWithinMs,
  );
  const leaderIn = (namespace: string | undefined): string | undefined =>
    alive.find((lock) => lock.namespace === namespace)?.holder;
  return [
    ...running.map((deployment): ControlPlaneTrace => {
      const {namespace = '', labels = {}} = deployment.metadata;
      const revision = labels['istio.io/rev'] ?? defaultRevision;
      return defined({namespace, revision, deployment, leader: leaderIn(namespace)});
    }),
    ...alive
      .filter(({namespace}) => !running.some(({metadata}) => metadata.namespace === namespace))
      .map(({namespace, revision, holder}) => ({namespace, revision, leader: holder})),
  ];
}

/** Describes a control plane, given the mesh configs with its revision's name in all namespaces. */
export function readOtherControlPlane(
  {namespace, revision, deployment, leader}: ControlPlaneTrace,
  meshConfigs: readonly ConfigMapObject[],
): OtherControlPlane {
  const configMaps = meshConfigs.filter(({metadata}) => metadata.namespace === namespace);
  const [own] = deployment ? readControlPlanes({deployments: [deployment], configMaps, podsOf: () => []}) : [];
  const lock = leader === undefined ? [] : [`${leader} holds ConfigMap ${bundleLockName}`];
  return defined({
    namespace,
    version: own?.version ?? newestKnown,
    bundleName: own ? own.bundleName : defaultBundleName,
    discoverySelectors: own?.discoverySelectors ?? readDiscoverySelectors(configMaps, revision),
    isWriting: leader !== undefined || !parseBool(own?.workload.env.ENABLE_LEADER_ELECTION, true),
    evidence: [...(own ? [`Deployment ${own.workload.name}`] : []), ...lock].join(', '),
  });
}

function readLock({metadata}: KubeObject): Lock {
  const {namespace = '', annotations = {}} = metadata;
  const where = `ConfigMap ${bundleLockName} of namespace ${namespace} does not contain a valid leader`;
  const {holderIdentity, holderKey = '', renewTime} = readYaml(record, annotations[annotation], where);
  // The prefix marks an istiod that manages the cluster from outside (leaderelection.go, remoteIstiodPrefix).
  const revision = holderKey.replace(/^\^/, '') || defaultRevision;
  return {namespace, holder: holderIdentity, revision, renewedAt: renewTime?.getTime() ?? Number.NEGATIVE_INFINITY};
}
