/** The kinds that this program reads: one type for each, with the fields that it uses (shapes.ts). */
import type {KubeObject} from './object.js';
import type {FieldsOf, ShapedKind} from './shapes.js';

/** An object of a kind that shapes.ts describes. */
type ObjectOf<Key extends ShapedKind> = KubeObject & FieldsOf<Key>;

/** Only the metadata of a namespace is used. */
export type NamespaceObject = KubeObject;
export type SecretObject = ObjectOf<'/Secret'>;
export type ConfigMapObject = ObjectOf<'/ConfigMap'>;
export type DeploymentObject = ObjectOf<'apps/Deployment'>;
export type PodObject = ObjectOf<'/Pod'>;
export type EventObject = ObjectOf<'/Event'>;
export type ServiceObject = ObjectOf<'/Service'>;
export type DefinitionObject = ObjectOf<'apiextensions.k8s.io/CustomResourceDefinition'>;
/** A Gateway of the Gateway API. */
export type GatewayObject = ObjectOf<'gateway.networking.k8s.io/Gateway'>;
/** A Gateway of Istio. */
export type IstioGatewayObject = ObjectOf<'networking.istio.io/Gateway'>;
export type PeerAuthenticationObject = ObjectOf<'security.istio.io/PeerAuthentication'>;
export type AuthorizationPolicyObject = ObjectOf<'security.istio.io/AuthorizationPolicy'>;
export type RoleObject = ObjectOf<'rbac.authorization.k8s.io/Role' | 'rbac.authorization.k8s.io/ClusterRole'>;
export type RoleBindingObject = ObjectOf<
  'rbac.authorization.k8s.io/RoleBinding' | 'rbac.authorization.k8s.io/ClusterRoleBinding'
>;
export type SelfSubjectReview = ObjectOf<'authentication.k8s.io/SelfSubjectReview'>;

/** The kinds of webhook configurations. */
export type WebhookConfigurationKind = 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration';
export type WebhookConfigurationObject = ObjectOf<`admissionregistration.k8s.io/${WebhookConfigurationKind}`>;

/** A label selector (k8s.io/apimachinery pkg/apis/meta/v1/types.go). */
export type LabelSelector = DeploymentObject['spec']['selector'];
/** A container of a pod template. */
export type Container = DeploymentObject['spec']['template']['spec']['containers'][number];
/** The status of a pod's container, as the kubelet reports it. */
export type ContainerStatus = NonNullable<NonNullable<PodObject['status']>['containerStatuses']>[number];
/** Why a container is waiting or has terminated. */
export type ContainerReason = NonNullable<NonNullable<ContainerStatus['state']>['waiting']>;

/** Reports whether a label selector matches these labels (k8s.io/apimachinery pkg/apis/meta/v1/helpers.go). */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector.matchExpressions ?? []).every(({key, operator, values = []}) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

/** Reports whether a pod's condition Ready is true. */
export function hasReadyCondition({status}: Pick<PodObject, 'status'>): boolean {
  return status?.conditions?.some(({type, status: value}) => type === 'Ready' && value === 'True') === true;
}
