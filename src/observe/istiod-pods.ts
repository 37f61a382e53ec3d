/** Queries the running istiod pods of one cluster, each through its own port-forward, because replicas can differ. */
import {type ControlPlaneFacts, PerPod} from '../domain/facts/facts.js';
import {runningPods} from '../domain/facts/read/pods.js';
import {MeshError, problem} from '../domain/errors.js';
import {istiodSecurePort} from '../domain/istio/names.js';
import {monitoringPort} from '../engine/istiod-debug.js';
import type {PortForward} from '../tools/kubectl/api.js';
import {attempt} from './cluster-reader.js';
import {memoizeAsync} from '../domain/memoize.js';

/** One running istiod pod. */
export interface IstiodPod {
  readonly name: string;
  /** Its Deployment. */
  readonly deployment: string;
  readonly controlPlane: ControlPlaneFacts;
  /** Returns the local port that is forwarded to a port of the pod. Throws what port-forwarding throws. */
  readonly port: (podPort: number) => Promise<number>;
}

/** What {@link istiodPods} needs. */
interface IstiodPodsOptions {
  readonly signal: AbortSignal;
  readonly namespace: string;
  readonly controlPlanes: () => Promise<readonly ControlPlaneFacts[]>;
  readonly forward: (pod: string, ports: readonly number[]) => Promise<PortForward>;
}

/** Creates the access to the pods. Connects at the first query. */
export function istiodPods({signal, namespace, controlPlanes, forward}: IstiodPodsOptions) {
  const forwards = new Map<string, Promise<PortForward>>();
  const podOf = (controlPlane: ControlPlaneFacts, name: string): IstiodPod => {
    const open = (): Promise<PortForward> => {
      const opened = forwards.get(name) ?? forward(name, [istiodSecurePort, monitoringPort]);
      forwards.set(name, opened);
      return opened;
    };
    return {
      name,
      deployment: controlPlane.workload.name,
      controlPlane,
      async port(podPort) {
        const local = (await open()).ports.get(podPort);
        if (local === undefined) {
          throw new MeshError('UNREACHABLE', `port ${String(podPort)} of ${name} is not forwarded`);
        }
        return local;
      },
    };
  };
  const targets = memoizeAsync(async () =>
    (await controlPlanes()).map((controlPlane) => ({
      deployment: controlPlane.workload.name,
      pods: runningPods(controlPlane.workload).map(({name}) => podOf(controlPlane, name)),
    })),
  );
  return {
    /** Queries all pods. A revision without a running pod is unknown, never ok. */
    async query<T>(read: (pod: IstiodPod) => Promise<T>): Promise<PerPod<T>> {
      const parts = (await targets()).flatMap(({deployment, pods}) => {
        if (pods.length === 0) {
          const why = `no pod of Deployment ${namespace}/${deployment} is running`;
          return [Promise.resolve({name: deployment, observed: {unknown: problem('NOT_FOUND', why)}})];
        }
        return pods.map(async (pod) => ({name: pod.name, observed: await attempt(signal, () => read(pod))}));
      });
      return new PerPod(await Promise.all(parts));
    },
    /** Ends the port-forwards. A later query opens others. */
    async close(): Promise<void> {
      const opened = [...forwards.values()];
      forwards.clear();
      await Promise.allSettled(opened.map(async (one) => (await one).close()));
    },
  };
}
