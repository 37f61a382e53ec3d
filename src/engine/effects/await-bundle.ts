import {bundleKey, defaultBundleName} from '../../domain/istio/names.js';
import {createHash} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh, lookWith} from '../../domain/suggest/suggestion.js';
import {words} from '../../domain/suggest/words.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitBundle} from '../action.js';
import type {Deps} from '../deps.js';
import type {Effect} from '../effect.js';
import {awaitAnswer} from './await.js';

/** istiod's port for certificate requests; its certificate chain shows the CA that is live. */
const securePort = 15012;
/** For one handshake. Milliseconds. */
const probeTimeoutMs = 10_000;

/**
 * Waits until the cluster itself shows that istiod loaded what was pushed: ConfigMap istio-ca-root-cert equals the
 * bundle (istio/istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go writes it as loaded), and, where
 * a fingerprint is given, every ready istiod pod presents a chain with that cluster CA in it.
 */
export const effect: Effect<'await-bundle'> = async (action, {deps, line}) => {
  const api = await deps.clusters.open(action.context);
  let said = '';
  const what = 'istiod did not load the new CA';
  try {
    return await awaitAnswer({deps, timeoutMs: action.timeoutMs, what}, async () => {
      const notYet = (await bundleMissing(api, action)) ?? (await chainMissing(api, action, deps));
      if (notYet === undefined) {
        return {answer: action.caFingerprint === undefined ? undefined : {provenLive: action.caFingerprint}};
      }
      if (notYet !== said) line(notYet);
      said = notYet;
      return {notYet};
    });
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_READY') throw thrown;
    throw new MeshError('NOT_READY', thrown.message, {
      cause: thrown,
      hints: [
        advice`see what istiod says: ${lookWith.kubectl(action, words`-n ${action.namespace} logs -l app=istiod --tail=50`)}`,
        advice`put the previous CA back: ${kubectlMesh('trust rollback', [action.cluster])}`,
        'the kubelet takes a minute or two to update a mounted Secret: run the command again to wait once more',
      ],
    });
  }
};

async function bundleMissing(api: KubeApi, {namespace, bundle}: AwaitBundle): Promise<string | undefined> {
  const configMap = await api.find({apiVersion: 'v1', kind: 'ConfigMap', namespace, name: defaultBundleName});
  const {data = {}} = (configMap ?? {}) as {readonly data?: Readonly<Record<string, string>>};
  if (data[bundleKey] === bundle) return undefined;
  return `ConfigMap ${namespace}/${defaultBundleName} does not hold the new bundle yet`;
}

/** Which ready istiod pod does not present the wanted cluster CA; undefined when all do. */
export async function chainMissing(
  api: KubeApi,
  action: Pick<AwaitBundle, 'context' | 'namespace' | 'caFingerprint'>,
  deps: Deps,
): Promise<string | undefined> {
  const wanted = action.caFingerprint;
  if (wanted === undefined) return undefined;
  const {items} = await api.list<PodObject>(
    {apiVersion: 'v1', kind: 'Pod'},
    {namespace: action.namespace, labelSelector: 'app=istiod'},
  );
  const ready = items.filter(isReady);
  if (ready.length === 0) return 'no istiod pod is ready';
  for (const {metadata} of ready) {
    const forward = await deps.clusters.forward(action.context, action.namespace, metadata.name, [securePort]);
    try {
      const chain = await deps.tls.presentedChain({
        port: forward.ports.get(securePort) ?? 0,
        servername: `istiod.${action.namespace}.svc`,
        timeoutMs: probeTimeoutMs,
      });
      const shown = chain.some((der) => createHash('sha256').update(der).digest('hex') === wanted);
      if (!shown) return `pod ${metadata.name} still presents another cluster CA`;
    } finally {
      await forward.close();
    }
  }
  return undefined;
}

interface PodObject extends KubeObject {
  readonly status?: {readonly conditions?: readonly {readonly type: string; readonly status: string}[]};
}

function isReady({metadata, status}: PodObject): boolean {
  const ready = status?.conditions?.some(({type, status: value}) => type === 'Ready' && value === 'True');
  return metadata.deletionTimestamp === undefined && ready === true;
}
