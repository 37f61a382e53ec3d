/**
 * The objects that a document writes, and those among them that all revisions in a cluster share: their names contain no
 * revision, so installing one revision changes them for the others (observed with istioctl 1.31.0: installing a second revision
 * takes over the CustomResourceDefinitions, the reader's ServiceAccount and the ingress gateway, without a warning).
 */
import {reportedVersion, type ReportedVersion} from '../istio/running-version.js';
import type {KubeObject} from '../kube/object.js';
import {isTree, valueAt} from '../tree.js';
import type {InstallModel} from './model.js';
import {installerLabels, ownerDocument, type Installation} from './ownership.js';

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
 * manifests/charts). Gateways with other names than those of the profiles belong to other documents.
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
} as const satisfies Readonly<Record<string, SharedComponent>>;
type ComponentName = keyof typeof sharedComponents;
const componentNames = Object.keys(sharedComponents) as ComponentName[];

/** Their objects are recognized by name only: the component label of other gateways is the same. */
const gateways: readonly ComponentName[] = ['IngressGateways', 'EgressGateways'];

const ofDefault: readonly ComponentName[] = ['Base', 'IngressGateways'];
const ofAmbient: readonly ComponentName[] = ['Base', 'Cni', 'Ztunnel'];

/**
 * The shared components of the profiles that differ from profile `default` (1.31.0:manifests/profiles; `minimal` and `empty` have
 * no gateway in any version). A profile that is not in this table counts as `default`.
 */
const componentsOfProfile: ReadonlyMap<string, readonly ComponentName[]> = new Map([
  ['minimal', ['Base']],
  ['empty', []],
  ['ambient', ofAmbient],
  ['openshift-ambient', ofAmbient],
  ['openshift', ['Base', 'Cni', 'IngressGateways']],
  ['demo', ['Base', 'IngressGateways', 'EgressGateways']],
]);

/** The objects that a document writes. */
export interface WrittenObjects extends Installation {
  /** The shared components among them. */
  readonly components: readonly ComponentName[];
}

/** Returns the shared components of a document: those of its profile, and those that its overlays configure. */
export function writtenComponents({
  profile,
  overlays,
}: Pick<InstallModel, 'profile' | 'overlays'>): readonly ComponentName[] {
  const ofProfile = componentsOfProfile.get(profile) ?? ofDefault;
  const configured = overlays.map(({tree}) => valueAt(tree, ['spec', 'components']));
  return componentNames.filter(
    (name) =>
      ofProfile.includes(name) ||
      configured.some((components) => isTree(components) && Object.hasOwn(components, sharedComponents[name].field)),
  );
}

/** Reports whether a document writes an object: one of its own revision, or a shared one of any revision. */
export function isWritten({metadata: {name, labels = {}}}: KubeObject, written: WrittenObjects): boolean {
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

/** Returns the shared components that a document takes from other revisions, or from control planes in other namespaces. */
export function sharedChanges(objects: readonly KubeObject[], written: WrittenObjects): readonly SharedChange[] {
  const users = new Map<string, {readonly titles: string[]; readonly versions: Set<string>}>();
  for (const name of written.components) {
    const {title, main} = sharedComponents[name];
    const object = objects.find(({kind, metadata}) => kind === main.kind && metadata.name === main.name);
    const user = object && otherUser(object, written);
    if (user === undefined) continue;
    const {titles, versions} = users.get(user) ?? {titles: [], versions: new Set()};
    const version = object?.metadata.labels?.[installerLabels.version];
    users.set(user, {titles: [...titles, title], versions: version === undefined ? versions : versions.add(version)});
  }
  return [...users].map(([user, {titles, versions}]) => ({
    what: `the ${listed(titles)} of ${user}`,
    versions: [...versions].map(reportedVersion),
  }));
}

/** The control plane, other than the document's own, whose installation wrote an object last. */
function otherUser(object: KubeObject, {namespace, revision}: Installation): string | undefined {
  const owner = ownerDocument(object);
  if (!owner) return undefined;
  if ((owner.namespace ?? namespace) !== namespace) return `the control plane in ${owner.namespace ?? ''}`;
  return owner.revision === revision ? undefined : `revision ${owner.revision}`;
}

function listed(words: readonly string[]): string {
  const rest = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  return rest.length === 0 ? last : `${rest.join(', ')} and ${last}`;
}
