/** Proves that every running istiod pod of a reader has read its peers. */
import {asMeshError} from '../../domain/errors.js';
import {clusterzPath, readClusterz, synced} from '../../domain/facts/read/clusterz.js';
import {endpointShardzPath, readEndpointShardz} from '../../domain/facts/read/endpoint-shardz.js';
import {isGone} from '../../domain/facts/read/pods.js';
import type {PodObject} from '../../domain/kube/objects.js';
import type {KubeApi, PortForward} from '../../tools/kubectl/api.js';
import type {AwaitDiscovery, DiscoveryPeer, LinkPeers} from '../action.js';
import type {EffectContext} from '../effect.js';
import {debugLimits, getDebugText, monitoringPort} from '../istiod-debug.js';

/** Pause between two checks. Milliseconds. */
const pauseMs = 1000;

/**
 * For so long after a write, istiod may still report the state of the previous remote secret: its watch usually delivers a
 * change within a second. Milliseconds.
 */
const settleMs = 2000;

/** What to prove. */
export interface Proof extends Pick<
  LinkPeers | AwaitDiscovery,
  'cluster' | 'context' | 'namespace' | 'istioName' | 'isSelective' | 'timeoutMs'
> {
  readonly peers: readonly DiscoveryPeer[];
  /** Whether an existing remote secret was changed. */
  readonly hasChanged: (peer: DiscoveryPeer) => boolean;
}

/** Waits, and returns why peers have not been read, by name; empty if all have been. Throws what aborts the run. */
export async function proveDiscovery(
  api: KubeApi,
  proof: Proof,
  context: EffectContext,
): Promise<ReadonlyMap<string, string>> {
  const {deps, waiting} = context;
  const start = deps.now().getTime();
  const pods = new IstiodForwards(api, proof, context);
  const done = new Set<string>();
  try {
    for (;;) {
      const elapsedMs = deps.now().getTime() - start;
      const left = proof.peers.filter(({cluster}) => !done.has(cluster));
      const states = await pods.statesOf(left);
      for (const peer of left) {
        const isSettled = !proof.hasChanged(peer) || elapsedMs >= settleMs;
        if (isSettled && states.get(peer.cluster) === undefined) done.add(peer.cluster);
      }
      const missing = left.filter(({cluster}) => !done.has(cluster));
      const [first] = missing;
      if (!first) return new Map();
      deps.signal.throwIfAborted();
      const reasons = new Map(
        missing.map(({cluster}) => [
          cluster,
          states.get(cluster)?.reason ?? 'istiod may still report the state before the change',
        ]),
      );
      const isFinal = elapsedMs >= settleMs && missing.every(({cluster}) => states.get(cluster)?.isFinal === true);
      if (isFinal || elapsedMs >= proof.timeoutMs) return reasons;
      waiting({what: reasons.get(first.cluster) ?? '', elapsedMs, limitMs: proof.timeoutMs});
      await deps.sleep(pauseMs);
    }
  } finally {
    await pods.close();
  }
}

/** Why a peer has not been read. `isFinal`: istiod has given up (pkg/kube/multicluster/cluster.go, SyncStatusTimeout). */
interface Unread {
  readonly reason: string;
  readonly isFinal: boolean;
}

/** The port-forwards to the istiod pods of one reader, kept open while it is polled. */
class IstiodForwards {
  readonly #open = new Map<string, PortForward>();

  constructor(
    private readonly api: KubeApi,
    private readonly proof: Proof,
    private readonly context: EffectContext,
  ) {}

  /** Returns why peers have not been read; undefined for one that every pod has read. */
  async statesOf(peers: readonly DiscoveryPeer[]): Promise<ReadonlyMap<string, Unread | undefined>> {
    const all = (reason: string) => new Map(peers.map(({cluster}) => [cluster, {reason, isFinal: false}]));
    try {
      const {namespace} = this.proof;
      const kind = {apiVersion: 'v1', kind: 'Pod'};
      const {items} = await this.api.list<PodObject>(kind, {namespace, labelSelector: 'app=istiod'});
      const pods = items.filter((pod) => !isGone(pod) && pod.status?.phase === 'Running');
      if (pods.length === 0) return all('no istiod pod is running');
      const states = await Promise.all(pods.map((pod) => this.#statesIn(pod, peers)));
      return new Map(
        peers.map(({cluster}) => [cluster, states.map((one) => one.get(cluster)).find((state) => state !== undefined)]),
      );
    } catch (thrown) {
      return all(this.#reasonOf(thrown));
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((forward) => forward.close()));
  }

  async #statesIn(pod: PodObject, peers: readonly DiscoveryPeer[]): Promise<ReadonlyMap<string, Unread>> {
    const {name} = pod.metadata;
    try {
      const rows = readClusterz(await this.#get(name, clusterzPath, debugLimits.clusterz), name);
      const unread = new Map<string, Unread>();
      for (const peer of peers) {
        const status = rows.find(({id, secretName}) => id === peer.istioName && secretName !== '')?.status;
        const from = rows.find(({id, secretName}) => id === peer.istioName && secretName !== '')?.secretName;
        const secret = `${this.proof.namespace}/${peer.secret}`;
        if (status === synced && from === secret) continue;
        const reason =
          status === undefined
            ? `pod ${name} does not know cluster ${peer.istioName} yet`
            : from === secret
              ? `pod ${name} reports cluster ${peer.istioName} as ${status}`
              : `pod ${name} reads cluster ${peer.istioName} through another Secret, ${from ?? ''}`;
        unread.set(peer.cluster, {reason, isFinal: status === 'timeout' || status === 'closed'});
      }
      if (unread.size === peers.length) return unread;
      const shards = readEndpointShardz(await this.#get(name, endpointShardzPath, debugLimits.endpointShardz), name);
      // Service default/kubernetes exists in every cluster, so a peer without endpoints has not been read, unless istiod reads
      // that namespace nowhere.
      const own = shards.find(({cluster}) => cluster === this.proof.istioName);
      const mayBeEmpty = this.proof.isSelective || own?.hasApiServer !== true;
      for (const {cluster, istioName} of peers) {
        if (unread.has(cluster) || mayBeEmpty || shards.some((shard) => shard.cluster === istioName)) continue;
        unread.set(cluster, {reason: `pod ${name} has no endpoints of cluster ${istioName} yet`, isFinal: false});
      }
      return unread;
    } catch (thrown) {
      const reason = this.#reasonOf(thrown);
      await this.#open.get(name)?.close();
      this.#open.delete(name);
      return new Map(peers.map(({cluster}) => [cluster, {reason, isFinal: false}]));
    }
  }

  async #get(pod: string, path: string, maxBytes: number): Promise<string> {
    const {clusters, http} = this.context.deps;
    const {context, namespace} = this.proof;
    let forward = this.#open.get(pod);
    if (!forward) {
      forward = await clusters.forward(context, namespace, pod, [monitoringPort]);
      this.#open.set(pod, forward);
    }
    const reached = {name: pod, deployment: 'istiod', port: forward.ports.get(monitoringPort) ?? 0};
    return getDebugText(http, reached, {path, maxBytes}, {cluster: {context}, namespace});
  }

  /** The reason why a state cannot be read; rethrows what ends the run, and bugs. */
  #reasonOf(thrown: unknown): string {
    this.context.deps.signal.throwIfAborted();
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    return error.message;
  }
}
