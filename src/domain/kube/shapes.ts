/**
 * The shapes of API objects that this program reads: of each kind, only the fields that it uses. A response that does not
 * have its kind's shape is an error (response.ts). objects.ts has the types.
 *
 * Sources: k8s.io/api (the Go types of each kind), k8s.io/apimachinery pkg/apis/meta/v1/types.go (metadata).
 */
import * as z from 'zod';
import {printableLine} from '../printable.js';
import {groupOf, type KindRef} from './kinds.js';
import {subjectKinds} from './subjects.js';

/** Creates the schema of a struct. */
type Struct = <Fields extends z.ZodRawShape>(fields: Fields) => z.ZodPreprocess<z.ZodObject<Fields>>;

/** Of an item in a list: other fields are dropped, so that a list of all pods of a large cluster fits into memory. */
const onlyTheseFields: Struct = (fields) => z.preprocess(withoutNulls, z.object(fields));

/** Of a single object: other fields are kept, because a write compares them with what it sent. */
const theseAndOtherFields: Struct = (fields) => z.preprocess(withoutNulls, z.looseObject(fields));

/**
 * A field that is null counts as absent, as for every Kubernetes client in Go (pkg.go.dev/encoding/json, Unmarshal). The
 * API server itself writes null, for example in `creationTimestamp` of a template and `rules` of a Role.
 */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return entries.some(([, field]) => field === null)
    ? Object.fromEntries(entries.filter(([, field]) => field !== null))
    : value;
}

const text = z.string();
const texts = z.array(text);
const textMap = z.record(text, text);
const boolean = z.boolean();
/** The Go types are int32 and int64; numbers that JavaScript cannot represent exactly are rejected. */
const integer = z.int();
const count = integer.nonnegative();
const anything = z.unknown();

/** RFC 3339, as metav1.Time writes it (k8s.io/apimachinery pkg/apis/meta/v1/time.go). */
const moment = z.iso.datetime({offset: true, error: 'expected a time as in RFC 3339'});

/** A byte slice: standard base64 with padding (pkg.go.dev/encoding/json, Marshal), and nothing else. */
const base64 = text.refine((value) => Buffer.from(value, 'base64').toString('base64') === value, 'expected base64');

/** DNS-1123 (kubernetes.io: concepts/overview/working-with-objects/names). */
const dnsSubdomain = text
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'expected a DNS-1123 subdomain');
const dnsLabel = text.max(63).regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'expected a DNS-1123 label');
/** RBAC permits any name that can be a part of a path (k8s.io/apimachinery pkg/api/validation/path/name.go). */
const pathSegment = text.regex(/^(?!\.{1,2}$)[^/%]+$/, 'expected a part of a path');

/** A label selector (k8s.io/apimachinery pkg/apis/meta/v1/types.go). */
function labelSelectorWith(struct: Struct) {
  return struct({
    matchLabels: textMap.exactOptional(),
    matchExpressions: z
      .array(
        struct({
          key: text,
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: texts.exactOptional(),
        }),
      )
      .exactOptional(),
  });
}

/** The variables of a proxy's container that configure its network; the others of a pod, of which there are many, are dropped. */
function networkVariables(struct: Struct) {
  return z.preprocess(
    (value) => (Array.isArray(value) ? value.filter(isNetworkVariable) : value),
    z.array(struct({name: text, value: text.exactOptional()})),
  );
}

/** ISTIO_META_NETWORK and ISTIO_META_REQUESTED_NETWORK_VIEW (istio/istio pkg/model/proxy.go, NodeMetadata). */
function isNetworkVariable(variable: unknown): boolean {
  const name: unknown = typeof variable === 'object' && variable !== null && 'name' in variable ? variable.name : '';
  return typeof name === 'string' && /^ISTIO_META_(?:\w+_)?NETWORK/.test(name);
}

/** The shapes of all kinds, by API group and kind. */
function shapesOf(struct: Struct) {
  const metadataWith = <Name extends z.ZodType>(name: Name) =>
    struct({
      name,
      namespace: dnsLabel.exactOptional(),
      uid: text.exactOptional(),
      resourceVersion: text.exactOptional(),
      generation: count.exactOptional(),
      labels: textMap.exactOptional(),
      annotations: textMap.exactOptional(),
      creationTimestamp: moment.exactOptional(),
      deletionTimestamp: moment.exactOptional(),
      ownerReferences: z.array(struct({kind: text, name: text, uid: text})).exactOptional(),
      finalizers: z.array(text).exactOptional(),
      // The fields that one manager owns (server-side apply), and when it last changed them.
      managedFields: z
        .array(
          struct({
            manager: text.exactOptional(),
            operation: text.exactOptional(),
            time: moment.exactOptional(),
            fieldsV1: anything.exactOptional(),
          }),
        )
        .exactOptional(),
    });
  const metadata = metadataWith(dnsSubdomain);
  const ofPathSegment = metadataWith(pathSegment);

  const container = struct({
    name: text,
    image: text.exactOptional(),
    workingDir: text.exactOptional(),
    env: z
      .array(struct({name: text, value: text.exactOptional(), valueFrom: anything.exactOptional()}))
      .exactOptional(),
    volumeMounts: z
      .array(
        struct({
          name: text,
          mountPath: text,
          subPath: text.exactOptional(),
          subPathExpr: text.exactOptional(),
        }),
      )
      .exactOptional(),
  });
  /** Data keys of a volume's Secret, with their file names. */
  const items = z.array(struct({key: text, path: text})).exactOptional();
  /** Only the fields of volumes that can hold istiod's CA. */
  const volume = struct({
    name: text,
    secret: struct({secretName: text.exactOptional(), items}).exactOptional(),
    projected: struct({
      sources: z.array(struct({secret: struct({name: text.exactOptional(), items}).exactOptional()})).exactOptional(),
    }).exactOptional(),
    csi: struct({
      driver: text,
      volumeAttributes: struct({secretProviderClass: text.exactOptional()}).exactOptional(),
    }).exactOptional(),
  });
  /** Why a container is waiting or has terminated. */
  const reason = {reason: text.exactOptional(), message: text.exactOptional(), exitCode: integer.exactOptional()};
  const containerStatuses = z
    .array(
      struct({
        name: text,
        ready: boolean.exactOptional(),
        restartCount: count.exactOptional(),
        state: struct({
          running: struct({startedAt: moment.exactOptional()}).exactOptional(),
          waiting: struct(reason).exactOptional(),
          terminated: struct(reason).exactOptional(),
        }).exactOptional(),
        lastState: struct({terminated: struct(reason).exactOptional()}).exactOptional(),
      }),
    )
    .exactOptional();
  const images = z.array(struct({name: text, image: text.exactOptional()})).exactOptional();
  const webhookConfiguration = struct({
    metadata,
    webhooks: z
      .array(
        struct({
          name: text,
          clientConfig: struct({
            service: struct({namespace: text, name: text}).exactOptional(),
            /** Base64-encoded PEM. */
            caBundle: base64.exactOptional(),
          }).exactOptional(),
        }),
      )
      .exactOptional(),
  });
  const role = struct({
    metadata: ofPathSegment,
    rules: z
      .array(
        struct({
          verbs: texts.exactOptional(),
          apiGroups: texts.exactOptional(),
          resources: texts.exactOptional(),
          resourceNames: texts.exactOptional(),
        }),
      )
      .exactOptional(),
  });
  const roleBinding = struct({
    metadata: ofPathSegment,
    roleRef: struct({kind: z.enum(['Role', 'ClusterRole']), name: text}),
    subjects: z
      .array(struct({kind: z.enum(subjectKinds), name: text, namespace: text.exactOptional()}))
      .exactOptional(),
  });

  const mtlsMode = struct({mode: text.exactOptional()});

  return {
    '/Secret': struct({
      metadata,
      type: text.exactOptional(),
      immutable: boolean.exactOptional(),
      /** Base64 values by key. */
      data: z.record(text, base64).exactOptional(),
    }),
    '/ConfigMap': struct({metadata, data: textMap.exactOptional()}),
    'apps/Deployment': struct({
      metadata,
      spec: struct({
        replicas: count.exactOptional(),
        selector: labelSelectorWith(struct),
        template: struct({
          metadata: struct({labels: textMap.exactOptional()}).exactOptional(),
          spec: struct({
            containers: z.array(container),
            initContainers: images,
            volumes: z.array(volume).exactOptional(),
          }),
        }),
      }),
      status: struct({
        observedGeneration: count.exactOptional(),
        replicas: count.exactOptional(),
        updatedReplicas: count.exactOptional(),
        readyReplicas: count.exactOptional(),
        availableReplicas: count.exactOptional(),
      }).exactOptional(),
    }),
    '/Pod': struct({
      metadata,
      spec: struct({
        hostNetwork: boolean.exactOptional(),
        containers: z
          .array(struct({name: text, image: text.exactOptional(), env: networkVariables(struct).exactOptional()}))
          .exactOptional(),
        initContainers: images,
      }).exactOptional(),
      status: struct({
        podIP: text.exactOptional(),
        phase: text.exactOptional(),
        reason: text.exactOptional(),
        message: text.exactOptional(),
        conditions: z.array(struct({...reason, type: text, status: text})).exactOptional(),
        initContainerStatuses: containerStatuses,
        containerStatuses,
      }).exactOptional(),
    }),
    '/Event': struct({
      metadata: ofPathSegment,
      involvedObject: struct({kind: text.exactOptional(), name: text.exactOptional()}).exactOptional(),
      reason: text.exactOptional(),
      message: text.exactOptional(),
      count: count.exactOptional(),
    }),
    '/Service': struct({
      metadata,
      spec: struct({
        type: text.exactOptional(),
        selector: textMap.exactOptional(),
        clusterIP: text.exactOptional(),
        externalIPs: texts.exactOptional(),
        ports: z
          .array(
            struct({
              name: text.exactOptional(),
              protocol: text.exactOptional(),
              port: integer,
              targetPort: z.union([integer, text]).exactOptional(),
            }),
          )
          .exactOptional(),
      }).exactOptional(),
      status: struct({
        loadBalancer: struct({
          ingress: z.array(struct({ip: text.exactOptional(), hostname: text.exactOptional()})).exactOptional(),
        }).exactOptional(),
      }).exactOptional(),
    }),
    'apiextensions.k8s.io/CustomResourceDefinition': struct({
      metadata,
      spec: struct({versions: z.array(struct({name: text, served: boolean}))}),
    }),
    /** Of the Gateway API. */
    'gateway.networking.k8s.io/Gateway': struct({
      metadata,
      spec: struct({
        gatewayClassName: text.exactOptional(),
        addresses: z.array(struct({type: text.exactOptional(), value: text.exactOptional()})).exactOptional(),
        listeners: z
          .array(
            struct({
              port: integer,
              protocol: text,
              tls: struct({mode: text.exactOptional(), options: textMap.exactOptional()}).exactOptional(),
            }),
          )
          .exactOptional(),
      }).exactOptional(),
    }),
    /** Of Istio. */
    'networking.istio.io/Gateway': struct({
      metadata,
      spec: struct({
        selector: textMap.exactOptional(),
        servers: z
          .array(
            struct({
              port: struct({number: integer.exactOptional()}).exactOptional(),
              tls: struct({mode: text.exactOptional()}).exactOptional(),
              hosts: texts.exactOptional(),
            }),
          )
          .exactOptional(),
      }).exactOptional(),
    }),
    'security.istio.io/PeerAuthentication': struct({
      metadata,
      spec: struct({
        mtls: mtlsMode.exactOptional(),
        portLevelMtls: z.record(text, mtlsMode).exactOptional(),
      }).exactOptional(),
    }),
    'security.istio.io/AuthorizationPolicy': struct({
      metadata,
      spec: struct({
        action: text.exactOptional(),
        selector: anything.exactOptional(),
        targetRef: anything.exactOptional(),
        targetRefs: anything.exactOptional(),
      }).exactOptional(),
    }),
    'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookConfiguration,
    'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookConfiguration,
    'rbac.authorization.k8s.io/Role': role,
    'rbac.authorization.k8s.io/ClusterRole': role,
    'rbac.authorization.k8s.io/RoleBinding': roleBinding,
    'rbac.authorization.k8s.io/ClusterRoleBinding': roleBinding,
    /** Not stored, so it has no name. */
    'authentication.k8s.io/SelfSubjectReview': struct({
      metadata: metadataWith(text.exactOptional()),
      status: struct({
        userInfo: struct({username: text.exactOptional(), uid: text.exactOptional()}).exactOptional(),
      }).exactOptional(),
    }),
    'authentication.k8s.io/TokenRequest': struct({
      metadata,
      status: struct({token: text, expirationTimestamp: moment}),
    }),
    /** Not stored, so it has no name. */
    'authentication.k8s.io/TokenReview': struct({
      metadata: metadataWith(text.exactOptional()),
      status: struct({
        authenticated: boolean.exactOptional(),
        user: struct({username: text.exactOptional()}).exactOptional(),
        error: text.exactOptional(),
      }),
    }),
    /** Any other kind, and lists of metadata only. */
    metadata: struct({metadata}),
    'metadata of RBAC': struct({metadata: ofPathSegment}),
  };
}

/** Label selectors outside API objects: discoverySelectors of Istio's mesh config. */
export const labelSelectorList = z.array(labelSelectorWith(onlyTheseFields));

type Shapes = ReturnType<typeof shapesOf>;

/** A kind with a shape: its API group and kind. */
export type ShapedKind = keyof Shapes;

/** The fields of a kind. */
export type FieldsOf<Key extends ShapedKind> = DeepReadonly<z.output<Shapes[Key]>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? {readonly [Key in keyof T]: DeepReadonly<T[Key]>}
    : T;

const objectShapes = shapesOf(theseAndOtherFields);
const itemShapes = shapesOf(onlyTheseFields);

/** The response to /version (k8s.io/apimachinery pkg/version/types.go). Some providers report a minor version such as `27+`. */
const version = z.object({
  gitVersion: text.exactOptional(),
  major: text.exactOptional(),
  minor: text.exactOptional(),
});

/** The version that an API server reports. */
export type ReportedVersion = z.output<typeof version>;

/** Compares the response to /version with its shape. */
export function fitVersion(value: unknown): Fitted<ReportedVersion> {
  return fit(version, value);
}

/** A value with its kind's shape, or where it differs: `spec.template: expected object, received undefined`. */
export type Fitted<T = object> = {readonly value: T} | {readonly misfit: string};

/** Compares an object with its kind's shape. */
export function fitObject(kind: KindRef, value: unknown): Fitted {
  return fit<object>(objectShapes[shapedKind(kind)], value);
}

/** Compares an item of a list with its kind's shape, or only its metadata. */
export function fitItem(kind: KindRef, value: unknown, metadataOnly: boolean): Fitted {
  return fit<object>(itemShapes[metadataOnly ? metadataOf(kind) : shapedKind(kind)], value);
}

function shapedKind(kind: KindRef): ShapedKind {
  const key = `${groupOf(kind.apiVersion)}/${kind.kind}`;
  return Object.hasOwn(objectShapes, key) ? (key as ShapedKind) : metadataOf(kind);
}

function metadataOf({apiVersion}: KindRef): ShapedKind {
  return groupOf(apiVersion) === 'rbac.authorization.k8s.io' ? 'metadata of RBAC' : 'metadata';
}

function fit<T>(shape: z.ZodType<T>, value: unknown): Fitted<T> {
  const result = shape.safeParse(value);
  return result.success ? {value: result.data} : {misfit: describeMisfit(result.error)};
}

/** Long enough for any field's name; keys of maps can be anything. Characters. */
const maxPlaceLength = 200;

/** Describes the first difference. Contains names of fields and types, never a value. */
function describeMisfit({issues: [issue]}: z.ZodError): string {
  const place = (issue?.path ?? [])
    .map((key) => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`))
    .join('');
  const what = (issue?.message ?? '').replace(/^Invalid input: /, '');
  return place === '' ? what : `${printableLine(place.replace(/^\./, '').slice(0, maxPlaceLength))}: ${what}`;
}
