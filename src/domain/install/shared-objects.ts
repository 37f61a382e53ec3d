/**
 * The objects that a document writes, and those among them that all revisions in a cluster share: their names contain no
 * revision, so installing one revision changes them for the others (observed with istioctl 1.31.0: installing a second revision
 * takes over the CustomResourceDefinitions, the reader's ServiceAccount and the ingress gateway without a warning, and installing
 * the default revision points revision tag `default` back to it).
 */
import {defaultRevision} from '../istio/names.js';
import {reportedVersion, type ReportedVersion} from '../istio/running-version.js';
import {hasReached} from '../istio/since.js';
import type {KubeObject} from '../kube/object.js';
import {isTree} from '../tree.js';
import {enabledInOverlays, valuesAt} from './declared-settings.js';
import {eastWestName} from './east-west/kind.js';
import type {InstallModel} from './model.js';
import {componentsOfProfile, type ProfileComponent} from './profiles.js';
import {installerLabels, isDefaultTag, isOfInstallation, ownerDocument, type Installation} from './ownership.js';

/** A component whose objects all revisions share. */
interface SharedComponent {
  /** Its name in messages. */
  readonly title: string;
  /** Its field below `spec.components`. */
  readonly field: string;
  /**
   * The object that decides which revision the component belongs to. Every version writes it; other objects of the component
   * may be left over from a version that wrote more.
   */
  readonly main: {readonly kind: string; readonly name: string};
}

/**
 * The shared components by their value of the component label, in the order in which istioctl installs them (istio/istio
 * manifests/charts). Gateways with other names belong to other documents.
 */
const sharedComponents = {
  Base: {
    title: 'base objects',
    field: 'base',
    main: {kind: 'CustomResourceDefinition', name: 'virtualservices.networking.istio.io'},
  },
  Cni: {title: 'CNI plugin', field: 'cni', main: {kind: 'DaemonSet', name: 'istio-cni-node'}},
  Ztunnel: {title: 'ztunnel', field: 'ztunnel', main: {kind: 'DaemonSet', name: 'ztunnel'}},
  IngressGateways: {
    title: 'ingress gateway',
    field: 'ingressGateways',
    main: {kind: 'Deployment', name: 'istio-ingressgateway'},
  },
  EgressGateways: {
    title: 'egress gateway',
    field: 'egressGateways',
    main: {kind: 'Deployment', name: 'istio-egressgateway'},
  },
  EastWestGateway: {
    title: 'east-west gateway',
    field: 'ingressGateways',
    main: {kind: 'Deployment', name: eastWestName},
  },
} as const satisfies Readonly<Record<ProfileComponent | 'EastWestGateway', SharedComponent>>;
type ComponentName = keyof typeof sharedComponents;
const componentNames = Object.keys(sharedComponents) as ComponentName[];

/** Their objects are recognized by name only: the component label of other gateways is the same. */
const gateways: readonly ComponentName[] = ['IngressGateways', 'EgressGateways', 'EastWestGateway'];

/** The objects that a document writes. */
export interface WrittenObjects extends Installation {
  /** The shared components among them. */
  readonly components: readonly ComponentName[];
  /** Whether they include those of revision tag `default`. */
  readonly defaultTag: boolean;
}

/**
 * Returns the shared components of a document: those of its profile, and those that its overlays configure, unless disabled; and its
 * east-west gateway.
 */
export function writtenComponents({
  profile,
  overlays,
  eastWest,
}: Pick<InstallModel, 'profile' | 'overlays' | 'eastWest'>): readonly ComponentName[] {
  const ofProfile: readonly string[] = componentsOfProfile(profile);
  const configured = valuesAt(overlays, ['spec', 'components']);
  return componentNames.filter((component) => {
    if (component === 'EastWestGateway') return eastWest?.kind.component !== undefined;
    const {field, main} = sharedComponents[component];
    const isConfigured = configured.some(
      (components) => isTree(components) && isComponent(components[field], main.name),
    );
    return enabledInOverlays(overlays, field, main.name) ?? (ofProfile.includes(component) || isConfigured);
  });
}

/** Whether a field of the components configures a component: itself, or in a list with the component's name. */
function isComponent(value: unknown, name: string): boolean {
  return Array.isArray(value) ? value.some((entry) => isTree(entry) && entry.name === name) : value !== undefined;
}

/**
 * Returns whether istioctl points revision tag `default` to the document's revision, if another revision has the tag: up to 1.12
 * only `istioctl tag` does (1.13.9:operator/cmd/mesh/install.go).
 */
export function writesDefaultTag({version, revision}: Pick<InstallModel, 'version' | 'revision'>): boolean {
  return revision === undefined && hasReached(version, '1.13');
}

/** Reports whether a document writes an object: one of its own revision, or a shared one of any revision. */
export function isWritten(object: KubeObject, written: WrittenObjects): boolean {
  if (isDefaultTag(object)) return written.defaultTag;
  const {name, labels = {}} = object.metadata;
  const gateway = gateways.find((one) => sharedComponents[one].main.name === name);
  if (gateway !== undefined) return written.components.includes(gateway);
  const {
    [installerLabels.component]: component,
    [installerLabels.revision]: revision = written.revision,
    [installerLabels.namespace]: namespace = written.namespace,
  } = labels;
  return component === 'Pilot'
    ? revision === written.revision && namespace === written.namespace
    : written.components.some((one) => one === component && !gateways.includes(one));
}

/** Shared objects of one other control plane that a document changes. */
export interface SharedChange {
  /** For messages: `the base objects and ingress gateway of revision default`. */
  readonly what: string;
  /** The versions that installed them, as far as istioctl recorded them. */
  readonly versions: readonly ReportedVersion[];
}

/**
 * Returns the shared components and the revision tag that a document takes from other revisions, or from control planes in other
 * namespaces.
 */
export function sharedChanges(objects: readonly KubeObject[], written: WrittenObjects): readonly SharedChange[] {
  const users = new Map<string, {readonly titles: Set<string>; readonly versions: Set<string>}>();
  for (const {title, object} of mainObjects(objects, written)) {
    const user = otherUser(object, written);
    if (user === undefined) continue;
    const {titles, versions} = users.get(user) ?? {titles: new Set(), versions: new Set()};
    const version = object.metadata.labels?.[installerLabels.version];
    users.set(user, {titles: titles.add(title), versions: version === undefined ? versions : versions.add(version)});
  }
  return [...users].map(([user, {titles, versions}]) => ({
    what: `the ${listed([...titles])} of ${user}`,
    versions: [...versions].map(reportedVersion),
  }));
}

/**
 * Returns the shared components that our document has installed for the same control plane and no longer contains: istioctl deletes
 * them.
 */
export function removedComponents(objects: readonly KubeObject[], written: WrittenObjects): readonly string[] {
  return componentNames.flatMap((component) => {
    const {title, main} = sharedComponents[component];
    const object = objects.find(({kind, metadata: {name}}) => kind === main.kind && name === main.name);
    const isRemoved = object && isOfInstallation(object, written) && !written.components.includes(component);
    return isRemoved ? [title] : [];
  });
}

/** Returns the existing objects that decide whose the shared objects are that a document writes. */
function mainObjects(
  objects: readonly KubeObject[],
  {components, defaultTag}: WrittenObjects,
): readonly {readonly title: string; readonly object: KubeObject}[] {
  const ofComponents = components.flatMap((component) => {
    const {title, main} = sharedComponents[component];
    const object = objects.find(({kind, metadata: {name}}) => kind === main.kind && name === main.name);
    return object ? [{title, object}] : [];
  });
  const tags = objects.filter((object) => object.kind === 'MutatingWebhookConfiguration' && isDefaultTag(object));
  return [...ofComponents, ...(defaultTag ? tags.map((object) => ({title: 'revision tag default', object})) : [])];
}

/** The control plane, other than the document's own, whose installation wrote an object last, or that a tag points to. */
function otherUser(object: KubeObject, {namespace, revision}: Installation): string | undefined {
  const {[installerLabels.revision]: target = defaultRevision} = object.metadata.labels ?? {};
  const owner = ownerDocument(object) ?? (isDefaultTag(object) ? {revision: target, namespace} : undefined);
  if (!owner) return undefined;
  if ((owner.namespace ?? namespace) !== namespace) return `the control plane in ${owner.namespace ?? ''}`;
  return owner.revision === revision ? undefined : `revision ${owner.revision}`;
}

function listed(words: readonly string[]): string {
  const rest = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  return rest.length === 0 ? last : `${rest.join(', ')} and ${last}`;
}
