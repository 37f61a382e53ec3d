/**
 * The objects of an installation as each line of Istio versions leaves them in the cluster: their metadata only, which is what
 * `install apply` reads.
 *
 * From real runs: the objects, labels and field managers of 1.31 (test/fixtures/installed), and that 1.16.7, 1.20.8, 1.24.6 and
 * 1.30.3 write the owners below. From istio/istio at the releases: the other labels, which kinds of writes istioctl sends
 * (operator/pkg/helmreconciler/{reconciler,apply}.go), and who creates the tag's webhook (istioctl/pkg/tag/generate.go). The objects
 * of one component differ little between versions: names and kinds are those of 1.31 in all of them.
 */
import {readFileSync} from 'node:fs';
import type {KubeObject, ObjectMeta} from '../../src/domain/kube/object.js';

type ManagedFields = NonNullable<ObjectMeta['managedFields']>;

/** The document that was installed. */
export interface InstalledDocument {
  /** Its name; absent: it has none. */
  readonly name?: string;
  /** Absent: the default revision. */
  readonly revision?: string;
}

/** What a line of versions writes. */
interface VersionLine {
  /** The last release of each minor version in the line. */
  readonly versions: readonly string[];
  /** The owner label for a document's name and revision; undefined: istioctl writes none, and charts write `unknown`. */
  readonly owner: (name: string | undefined, revision: string | undefined) => string | undefined;
  /** istioctl's writes: create and update, or server-side apply. */
  readonly operation: 'Update' | 'Apply';
  /** The webhooks of revision tag `default`: absent, created without an owner, or as every other object. */
  readonly tag?: 'unowned' | 'owned';
  /** Documents without an istiod also write that tag. */
  readonly tagOfGateways?: true;
  /** Labels only istiod's objects with the revision, and none with the namespace. */
  readonly fewLabels?: true;
}

const named = (name: string | undefined): string | undefined => name;
const state = (...parts: readonly (string | undefined)[]): string =>
  ['installed-state', ...parts].filter((part) => part !== undefined).join('-');

const lines: readonly VersionLine[] = [
  {versions: ['1.6.14', '1.7.8'], owner: (_name, revision) => state(revision), operation: 'Update', fewLabels: true},
  {versions: ['1.8.6'], owner: named, operation: 'Update'},
  {versions: ['1.9.9', '1.10.6', '1.11.8', '1.12.9'], owner: named, operation: 'Apply'},
  {
    versions: ['1.13.9', '1.14.6', '1.15.7', '1.16.7', '1.17.8', '1.18.7'],
    owner: named,
    operation: 'Apply',
    tag: 'unowned',
  },
  {
    versions: ['1.19.10', '1.20.8', '1.21.6', '1.22.8', '1.23.6'],
    owner: state,
    operation: 'Apply',
    tag: 'owned',
  },
  {
    versions: ['1.24.6', '1.25.5', '1.26.8', '1.27.9', '1.28.6', '1.29.6', '1.30.3', '1.31.0', '1.32.0'],
    owner: named,
    operation: 'Apply',
    tag: 'owned',
    tagOfGateways: true,
  },
];

/** A release of every minor version, the oldest first. */
export const releases: readonly string[] = lines.flatMap(({versions}) => versions);

/** Whether a version writes the document's name to its objects. */
export function recordsName(version: string): boolean {
  return lineOf(version).fewLabels !== true;
}

function lineOf(version: string): VersionLine {
  const line = lines.find(({versions}) => versions.includes(version));
  if (!line) throw new Error(`no line of versions for ${version}`);
  return line;
}

/** When istioctl wrote the objects. */
export const installedAt = '2026-01-01T00:00:00Z';

/** The objects that istioctl leaves after it installed a document in profile `default`. */
export function installedObjects(version: string, {name, revision}: InstalledDocument): readonly KubeObject[] {
  const line = lineOf(version);
  const suffix = revision === undefined ? '' : `-${revision}`;
  const rev = revision ?? 'default';
  const owner = line.owner(name, revision) ?? 'unknown';
  const labelsOf = (component: string): Record<string, string> => ({
    'install.operator.istio.io/owning-resource': owner,
    'operator.istio.io/managed': 'Reconcile',
    'operator.istio.io/component': component,
    'operator.istio.io/version': version,
    'app.kubernetes.io/managed-by': 'Helm',
    ...(line.fewLabels ? {} : {'install.operator.istio.io/owning-resource-namespace': 'istio-system'}),
    ...(line.fewLabels && component !== 'Pilot' ? {} : {'istio.io/rev': rev}),
  });
  const managedFields: ManagedFields = [
    {
      manager: line.operation === 'Apply' ? 'istio-operator' : 'istioctl',
      operation: line.operation,
      time: installedAt,
      fieldsV1: {'f:metadata': {'f:labels': {}}, 'f:spec': {}},
    },
  ];
  const object = (
    component: string,
    kind: string,
    objectName: string,
    change: Partial<ObjectMeta> = {},
  ): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: {
      name: objectName,
      ...(clusterScoped.includes(kind) ? {} : {namespace: 'istio-system'}),
      uid: `uid-${kind}-${objectName}`,
      labels: labelsOf(component),
      managedFields,
      ...change,
    },
  });
  const tagLabels = {...labelsOf('Pilot'), 'istio.io/tag': 'default'};
  const unowned: Partial<ObjectMeta> = {
    labels: {
      'install.operator.istio.io/owning-resource': 'unknown',
      'operator.istio.io/component': 'Pilot',
      'istio.io/rev': rev,
      'istio.io/tag': 'default',
    },
    managedFields: [{manager: 'istio-kube-client', operation: 'Apply', time: installedAt, fieldsV1: {}}],
  };
  return [
    object('Base', 'CustomResourceDefinition', 'virtualservices.networking.istio.io'),
    object('Base', 'ServiceAccount', 'istio-reader-service-account'),
    object('Pilot', 'ClusterRole', `istiod-clusterrole${suffix}-istio-system`),
    object('Pilot', 'ConfigMap', `istio${suffix}`),
    object('Pilot', 'Deployment', `istiod${suffix}`),
    object('Pilot', 'Service', `istiod${suffix}`),
    object('Pilot', 'HorizontalPodAutoscaler', `istiod${suffix}`),
    object('Pilot', 'MutatingWebhookConfiguration', `istio-sidecar-injector${suffix}`),
    object('Pilot', 'ValidatingWebhookConfiguration', `istio-validator${suffix}-istio-system`),
    ...(line.tag === undefined
      ? []
      : [
          object(
            'Pilot',
            'MutatingWebhookConfiguration',
            'istio-revision-tag-default',
            line.tag === 'owned' ? {labels: tagLabels} : unowned,
          ),
        ]),
    ...(line.tag === 'owned'
      ? [object('Pilot', 'ValidatingWebhookConfiguration', 'istiod-default-validator', {labels: tagLabels})]
      : []),
    object('IngressGateways', 'Deployment', 'istio-ingressgateway'),
    object('IngressGateways', 'Service', 'istio-ingressgateway'),
    object('IngressGateways', 'ServiceAccount', 'istio-ingressgateway-service-account'),
  ];
}

const clusterScoped = [
  'ClusterRole',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];

/** The objects after the document of Istio's east-west gateway (samples/multicluster/gen-eastwest-gateway.sh) was installed, too. */
export function withEastWestGateway(
  version: string,
  objects: readonly KubeObject[],
  {revision}: Pick<InstalledDocument, 'revision'> = {},
): readonly KubeObject[] {
  const {owner, tagOfGateways} = lineOf(version);
  const asGateway = (object: KubeObject, name: string): KubeObject => {
    const label = {'install.operator.istio.io/owning-resource': owner('eastwest', revision) ?? 'unknown'};
    return changedObject(object, {name, labels: {...object.metadata.labels, ...label}});
  };
  const gateways = objects
    .filter(({metadata: {name}}) => name.startsWith('istio-ingressgateway'))
    .map((one) => asGateway(one, one.metadata.name.replace('ingress', 'eastwest')))
    .map((one) => changedObject(one, {uid: `uid-${one.kind}-${one.metadata.name}`}));
  const writesTag = tagOfGateways === true && revision === undefined;
  const now = objects.map((one) =>
    writesTag && one.metadata.labels?.['istio.io/tag'] === 'default' ? asGateway(one, one.metadata.name) : one,
  );
  return [...now, ...gateways];
}

/** The objects some time later: controllers wrote states, and istiod its webhooks. */
export function afterControllers(objects: readonly KubeObject[]): readonly KubeObject[] {
  const at = '2026-01-01T01:00:00Z';
  return objects.map((object) => {
    const isWebhook = object.kind.endsWith('WebhookConfiguration');
    const [first, ...rest] = object.metadata.managedFields ?? [];
    const taken = isWebhook && first ? {...first, fieldsV1: {'f:metadata': {}}} : first;
    const written = isWebhook
      ? {manager: 'pilot-discovery', operation: 'Update', time: at, fieldsV1: {'f:webhooks': {}}}
      : {manager: 'kube-controller-manager', operation: 'Update', time: at, fieldsV1: {'f:status': {}}};
    return changedObject(object, {managedFields: [...(taken ? [taken] : []), ...rest, written], resourceVersion: '99'});
  });
}

/** An object with other metadata. */
export function changedObject(object: KubeObject, change: Partial<ObjectMeta>): KubeObject {
  return {...object, metadata: {...object.metadata, ...change}};
}

/** Objects of a real cluster. */
interface RecordedObjects {
  readonly defaultRevision: readonly KubeObject[];
  readonly otherRevision: readonly KubeObject[];
  readonly createdByUpdate: readonly KubeObject[];
  readonly later: readonly KubeObject[];
  readonly beforeGateway: readonly KubeObject[];
  readonly afterGateway: readonly KubeObject[];
  readonly tagMoved: readonly KubeObject[];
}

/** Reads the objects that real runs left (test/fixtures/installed, which describes them). */
export function recordedObjects(): RecordedObjects {
  const path = new URL('../fixtures/installed/istio-1.31.json', import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as RecordedObjects;
}
