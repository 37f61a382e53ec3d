/** Facts of the webhooks by which the API server calls istiod. */
import type {WebhookConfigurationKind} from '../../kube/objects.js';

/** A caBundle: the fingerprints of its certificates, or why there are none. */
export type CaBundleFacts = {readonly roots: readonly string[]} | 'empty' | 'unreadable';

/** One webhook that leads to a service of Istio's namespace. */
export interface WebhookFacts {
  readonly name: string;
  /** The Service it leads to. */
  readonly service: string;
  readonly caBundle: CaBundleFacts;
}

/** One MutatingWebhookConfiguration or ValidatingWebhookConfiguration with webhooks that lead to Istio's namespace. */
export interface WebhookConfigurationFacts {
  readonly kind: WebhookConfigurationKind;
  readonly name: string;
  /** Label istio.io/rev: the revision whose istiod keeps the caBundle. */
  readonly revision?: string;
  /** Only those that lead to Istio's namespace. */
  readonly webhooks: readonly WebhookFacts[];
}
