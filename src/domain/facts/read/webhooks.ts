/** Reads istiod's webhooks from the configurations of a cluster. */
import {defined} from '../../defined.js';
import type {WebhookConfigurationKind, WebhookConfigurationObject} from '../../kube/objects.js';
import {isReadableBundle, readableRoots} from '../../ca/trust-store.js';
import type {CaBundleFacts, WebhookConfigurationFacts} from '../facts.js';

/**
 * The configurations with webhooks that call Services in Istio's namespace. Webhooks of other programs, of an Istio in another
 * namespace, and those with a `url` are excluded: their owners manage the caBundle.
 */
export function readWebhooks(
  kind: WebhookConfigurationKind,
  objects: readonly WebhookConfigurationObject[],
  istioNamespace: string,
): readonly WebhookConfigurationFacts[] {
  return objects.flatMap(({metadata, webhooks}) => {
    const ours = (webhooks ?? []).flatMap(({name, clientConfig}) =>
      clientConfig?.service?.namespace === istioNamespace
        ? [{name, service: clientConfig.service.name, caBundle: readCaBundle(clientConfig.caBundle)}]
        : [],
    );
    if (ours.length === 0) return [];
    const revision = metadata.labels?.['istio.io/rev'];
    const tag = metadata.labels?.['istio.io/tag'];
    return [defined({kind, name: metadata.name, revision, tag, webhooks: ours})];
  });
}

function readCaBundle(encoded: string | undefined): CaBundleFacts {
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  if (text.trim() === '') return 'empty';
  if (!isReadableBundle(text)) return 'unreadable';
  return {roots: readableRoots(text).map(({fingerprint}) => fingerprint)};
}
