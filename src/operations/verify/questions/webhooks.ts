/** Facts of the webhooks by which the API server calls istiod. */
import type {ClusterFactValues} from '../../../domain/checks/facts.js';
import {readWebhooks} from '../../../domain/checks/read/webhooks.js';
import type {WebhookConfigurationKind} from '../../../domain/kube/objects.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';

const kinds: readonly WebhookConfigurationKind[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** The question about webhooks. */
export function webhookQuestions({
  reads,
  mesh,
}: ClusterQuestionOptions): Questions<Pick<ClusterFactValues, 'webhooks'>> {
  return {
    webhooks: async () =>
      (
        await Promise.all(
          kinds.map(async (kind) => readWebhooks(kind, await reads.webhookConfigurations(kind), mesh.istio.namespace)),
        )
      ).flat(),
  };
}
