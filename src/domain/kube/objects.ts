/** The kinds that this program reads: one type for each, with the fields that it uses. */
import type {KubeObject} from './object.js';

/** A label selector (k8s.io/apimachinery pkg/apis/meta/v1/types.go). */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** Reports whether a label selector matches these labels (k8s.io/apimachinery pkg/apis/meta/v1/helpers.go). */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector.matchExpressions ?? []).every(({key, operator, values = []}) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

/** Only the metadata of a namespace is used. */
export type NamespaceObject = KubeObject;

export interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  /** Base64 values by key. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMapObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A container of a pod template. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly {readonly name: string; readonly value?: string}[];
}

export interface DeploymentObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: LabelSelector;
    readonly template: {
      readonly metadata?: {readonly labels?: Readonly<Record<string, string>>};
      readonly spec: {readonly containers: readonly Container[]};
    };
  };
  readonly status?: {readonly readyReplicas?: number};
}

/** Why a container is waiting or has terminated. */
export interface ContainerReason {
  readonly reason?: string;
  readonly message?: string;
  /** Terminated containers only. */
  readonly exitCode?: number;
}

/** The status of a pod's container, as the kubelet reports it. */
export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {readonly waiting?: ContainerReason; readonly terminated?: ContainerReason};
  readonly lastState?: {readonly terminated?: ContainerReason};
}

export interface PodObject extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly {readonly name: string}[];
    readonly initContainers?: readonly {readonly name: string}[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly (ContainerReason & {readonly type: string; readonly status: string})[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** Reports whether a pod's condition Ready is true. */
export function hasReadyCondition({status}: Pick<PodObject, 'status'>): boolean {
  return status?.conditions?.some(({type, status: value}) => type === 'Ready' && value === 'True') === true;
}

/** An Event. */
export interface EventObject extends KubeObject {
  readonly involvedObject?: {readonly kind?: string; readonly name?: string};
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
}

export interface ServiceObject extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly externalIPs?: readonly string[];
    readonly ports?: readonly {readonly port: number}[];
  };
  readonly status?: {
    readonly loadBalancer?: {readonly ingress?: readonly {readonly ip?: string; readonly hostname?: string}[]};
  };
}

/** A Gateway of the Gateway API (gateway.networking.k8s.io). */
export interface GatewayObject extends KubeObject {
  readonly spec?: {
    readonly gatewayClassName?: string;
    readonly addresses?: readonly {readonly type?: string; readonly value?: string}[];
    readonly listeners?: readonly {readonly port: number; readonly protocol: string}[];
  };
}

/** The kinds of webhook configurations. */
export type WebhookConfigurationKind = 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration';

export interface WebhookConfigurationObject extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig?: {
      readonly service?: {readonly namespace: string; readonly name: string};
      /** Base64-encoded PEM. */
      readonly caBundle?: string;
    };
  }[];
}
