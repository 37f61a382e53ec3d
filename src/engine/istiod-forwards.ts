/** Reads debug endpoints of all running istiod pods of a cluster repeatedly, with port-forwards that stay open meanwhile. */
import {MeshError} from '../domain/errors.js';
import {podsOfSelector, runningPods} from '../domain/facts/read/pods.js';
import type {PodObject} from '../domain/kube/objects.js';
import type {KubeApi, PortForward} from '../tools/kubectl/api.js';
import type {Deps} from './deps.js';
import {getDebugText, monitoringPort} from './istiod-debug.js';

/** One running istiod pod. */
export interface DebugPod {
  readonly name: string;
  /** Returns the response of a debug endpoint. Throws what {@link getDebugText} throws. */
  readonly get: (path: string, maxBytes: number) => Promise<string>;
}

/** The istiod pods of one cluster. */
export class IstiodForwards {
  readonly #open = new Map<string, PortForward>();

  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
    private readonly deps: Pick<Deps, 'clusters' | 'http'>,
  ) {}

  /**
   * Reads every pod that runs now; with `ready` only those that are ready, if any is. Throws `NOT_FOUND` if none runs, and what
   * reading one throws; its port-forward is then opened again by the next call, because the pod may have been replaced.
   */
  async each<T>(read: (pod: DebugPod) => Promise<T>, which: 'all' | 'ready' = 'all'): Promise<readonly T[]> {
    const {api, namespace} = this;
    const {items} = await api.list<PodObject>(
      {apiVersion: 'v1', kind: 'Pod'},
      {namespace, labelSelector: 'app=istiod'},
    );
    const running = runningPods({pods: podsOfSelector(items, {matchLabels: {app: 'istiod'}})});
    const ready = running.filter((pod) => pod.ready);
    const pods = which === 'ready' && ready.length > 0 ? ready : running;
    if (pods.length === 0) throw new MeshError('NOT_FOUND', 'no istiod pod is running');
    return Promise.all(
      pods.map(async ({name}) => {
        try {
          return await read({name, get: (path, maxBytes) => this.#get(name, path, maxBytes)});
        } catch (thrown) {
          await this.#open.get(name)?.close();
          this.#open.delete(name);
          throw thrown;
        }
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((forward) => forward.close()));
  }

  async #get(pod: string, path: string, maxBytes: number): Promise<string> {
    const {api, namespace, deps} = this;
    let forward = this.#open.get(pod);
    if (!forward) {
      forward = await deps.clusters.forward(api.context, namespace, pod, [monitoringPort]);
      this.#open.set(pod, forward);
    }
    const reached = {name: pod, deployment: 'istiod', port: forward.ports.get(monitoringPort) ?? 0};
    return getDebugText(deps.http, reached, {path, maxBytes}, {cluster: {context: api.context}, namespace});
  }
}
