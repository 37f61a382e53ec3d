/** Reader Secrets: a small Secret in the peer for each reader, whose deletion ends that reader's access. */
import {defined} from '../defined.js';
import {managedByLabel} from '../kube/manager.js';
import type {KubeObject, ObjectMeta} from '../kube/object.js';
import {fieldManager} from '../kube/paths.js';
import type {NamedCluster} from '../mesh/istio-name.js';
import {discoveryAnnotations, readerSecretName, readerServiceAccount, type TokenKind} from './names.js';

/** The type of Secrets that the token controller fills (kubernetes.io: concepts/configuration/secret, ServiceAccount token Secrets). */
const tokenSecretType = 'kubernetes.io/service-account-token';

/** Whether a reader Secret contains a long-lived token. */
export function isTokenSecret({type}: {readonly type: string}): boolean {
  return type === tokenSecretType;
}

/**
 * Returns the reader Secret of a reader. `bound`: it is empty, and tokens are bound to it; `secret`: the token controller
 * writes a long-lived token into it.
 */
export function readerSecretObject(
  reader: Pick<NamedCluster, 'name'>,
  namespace: string,
  token: TokenKind,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: token === 'secret' ? tokenSecretType : 'Opaque',
    metadata: {
      name: readerSecretName(reader, token),
      namespace,
      labels: {[managedByLabel]: fieldManager},
      annotations: defined<NonNullable<ObjectMeta['annotations']>>({
        [discoveryAnnotations.reader]: reader.name,
        'kubernetes.io/service-account.name': token === 'secret' ? readerServiceAccount : undefined,
      }),
    },
  };
}
