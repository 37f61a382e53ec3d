/** The webhooks by which the API server calls istiod. */
import {readWebhooks} from '../../domain/facts/read/webhooks.js';
import type {Derive} from '../fact-sources.js';

export const deriveWebhooks: Derive<'webhooks'> = async ({reads, mesh}) => {
  const [mutating, validating] = await Promise.all([reads.read('mutatingWebhooks'), reads.read('validatingWebhooks')]);
  const {namespace} = mesh.istio;
  return [
    ...readWebhooks('MutatingWebhookConfiguration', mutating, namespace),
    ...readWebhooks('ValidatingWebhookConfiguration', validating, namespace),
  ];
};
