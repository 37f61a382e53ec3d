/** The running istiod pods of one cluster, asked one by one, since replicas can differ: a port-forward for each. */
import {type ControlPlaneFacts, PerPod} from '../domain/facts/facts.js';
import {MeshError, problem} from '../domain/errors.js';
import {istiodSecurePort} from '../domain/istio/names.js';
import type {PortForward} from '../tools/kubectl/api.js';
import {attempt} from './cluster-reader.js';
import {memoizeAsync} from '../domain/memoize.js';

/** Metrics and debug endpoints; a caller on the pod's loopback needs no token (istio/istio pilot/pkg/xds/debug.go). */
export const monitoringPort = 15014;

/** One running pod of istiod. */
export interface IstiodPod {
  readonly name: string;
  /** Its Deployment. */
  readonly deployment: string;
  readonly controlPlane: ControlPlaneFacts;
  /** The local port that leads to a port of the pod. Throws what port-forwarding throws. */
  readonly port: (podPort: number) => Promise<number>;
}

/** What is needed to reach them. */
interface IstiodPodsOptions {
  readonly signal: AbortSignal;
  readonly namespace: string;
  readonly controlPlanes: () => Promise<readonly ControlPlaneFacts[]>;
  readonly forward: (pod: string, ports: readonly number[]) => Promise<PortForward>;
}

/** Opens nothing before the first question. */
export function istiodPods({signal, namespace, controlPlanes, forward}: IstiodPodsOptions) {
  const forwards: Promise<PortForward>[] = [];
  const podOf = (controlPlane: ControlPlaneFacts, name: string): IstiodPod => {
    const open = memoizeAsync(() => {
      const opened = forward(name, [istiodSecurePort, monitoringPort]);
      forwards.push(opened);
      return opened;
    });
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
      pods: controlPlane.workload.pods
        .filter(({gone, phase}) => !gone && phase === 'Running')
        .map(({name}) => podOf(controlPlane, name)),
    })),
  );
  return {
    /** Asks all of them. A revision without a running pod is unknown, never fine. */
    async query<T>(question: (pod: IstiodPod) => Promise<T>): Promise<PerPod<T>> {
      const parts = (await targets()).flatMap(({deployment, pods}) => {
        if (pods.length === 0) {
          const why = `no pod of deployment ${namespace}/${deployment} is Running, so none can be asked`;
          return [Promise.resolve({name: deployment, seen: {unknown: problem('NOT_FOUND', why)}})];
        }
        return pods.map(async (pod) => ({name: pod.name, seen: await attempt(signal, () => question(pod))}));
      });
      return new PerPod(await Promise.all(parts));
    },
    /** Ends the port-forwards. */
    async close(): Promise<void> {
      await Promise.allSettled(forwards.map(async (opened) => (await opened).close()));
    },
  };
}
