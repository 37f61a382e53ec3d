/**
 * The labels with which istioctl's installer marks each object that it installs, and the document they identify. They differ
 * by version: the label `owning-resource` is not always the document's name.
 */
import {defaultRevision} from '../istio/names.js';
import {istioctlVersionLabel} from '../istio/running-version.js';
import {factFor, since, type Since} from '../istio/since.js';
import {parseVersion} from '../istio/version.js';
import {newestKnown} from '../istio/versions.js';
import type {KubeObject} from '../kube/object.js';
import {documentName} from './formats/istio-operator.js';

/**
 * istioctl's labels (istio/istio operator/pkg/manifest/name.go, before 1.24 operator/pkg/helmreconciler/common.go). Its
 * charts set the first one too, with the value {@link unnamed}. 1.6 and 1.7 set `revision` for istiod's objects only, and no
 * `namespace` (1.7.8:operator/pkg/helmreconciler/reconciler.go, getOwnerLabels).
 */
export const installerLabels = {
  owner: 'install.operator.istio.io/owning-resource',
  namespace: 'install.operator.istio.io/owning-resource-namespace',
  managed: 'operator.istio.io/managed',
  component: 'operator.istio.io/component',
  version: istioctlVersionLabel,
  revision: 'istio.io/rev',
  /** Only on webhooks and Services of revision tags (1.31.0:istioctl/pkg/tag/generate.go). */
  tag: 'istio.io/tag',
} as const;

/** The owner that charts write if the document has no name. */
const unnamed = 'unknown';
const savedState = 'installed-state';

/** A part of the owner label; parts are joined with `-`. An unnamed document and the default revision have no part. */
type OwnerPart = typeof savedState | 'document' | 'revision';

/** The parts of the owner label, by the version that wrote it. */
export const ownerForms: readonly [Since<readonly OwnerPart[]>, ...Since<readonly OwnerPart[]>[]] = [
  since(
    '1.6',
    [savedState, 'revision'],
    '1.6.14:operator/cmd/mesh/manifest-apply.go, 1.7.8:operator/cmd/mesh/install.go',
  ),
  since('1.8', ['document'], '1.8.6:operator/cmd/mesh/install.go'),
  since('1.19', [savedState, 'document', 'revision'], '1.20.8:operator/cmd/mesh/install.go, savedIOPName'),
  since('1.24', ['document'], '1.24.0:operator/pkg/install/install.go, getOwnerLabels'),
];

/**
 * The documents after which istioctl writes the objects of revision tag `default` (two webhooks, in newer versions also a Service)
 * with the document's owner label: those with an istiod of the default revision, or all of the default revision. Among the latter is
 * the document of Istio's east-west gateway, whose profile is empty (samples/multicluster/gen-eastwest-gateway.sh).
 */
export const defaultTagDocuments: readonly [Since<'with istiod' | 'all'>, ...Since<'with istiod' | 'all'>[]] = [
  since('1.6', 'with istiod', '1.23.6:operator/pkg/helmreconciler/reconciler.go, DetectIfTagWebhookIsNeeded'),
  since('1.24', 'all', '1.31.0:operator/pkg/webhook/webhook.go, detectIfTagWebhookIsNeeded'),
];

/** The installation that a document describes, in one cluster. */
export interface Installation {
  /** Istio's namespace. */
  readonly namespace: string;
  /** `default` for the default revision. */
  readonly revision: string;
  /** The revisions for which the cluster has a record of `install apply`. */
  readonly recorded: readonly string[];
}

/** The IstioOperator document that installed an object. */
export interface OwnerDocument {
  /** Its name; `unnamed`, or `unrecorded` if the version does not write the name to its objects. */
  readonly document: {readonly name: string} | 'unnamed' | 'unrecorded';
  readonly revision: string;
  /** The namespace of the document's control plane; absent if the version does not record it. */
  readonly namespace?: string;
}

/**
 * Returns the document that istioctl installed an object from; undefined if istioctl did not install it. The version on the
 * object, which istioctl writes together with the owner, decides how the owner is read: one label value identifies different
 * documents in different versions (`installed-state-a` is document a in 1.20 and a document of that name in 1.24). Without a
 * version that can be parsed, such as that of a development build, it is read as the newest version writes it.
 */
export function ownerDocument({metadata: {labels = {}}}: KubeObject): OwnerDocument | undefined {
  if (labels[installerLabels.managed] === undefined) return undefined;
  const {
    [installerLabels.owner]: owner = unnamed,
    [installerLabels.revision]: label,
    [installerLabels.namespace]: namespace,
  } = labels;
  const parts = factOf(ownerForms, labels);
  const place = namespace === undefined ? {} : {namespace};
  if (!parts.includes('document')) {
    const written = withoutPrefix(owner, savedState) ?? '';
    const revision = label ?? (written === '' ? defaultRevision : written);
    return {document: 'unrecorded', revision, ...place};
  }
  const revision = label ?? defaultRevision;
  const state = parts.includes(savedState) ? withoutPrefix(owner, savedState) : undefined;
  const name = state === undefined ? owner : withoutSuffix(state, revision);
  return {document: name === '' || name === unnamed ? 'unnamed' : {name}, revision, ...place};
}

/** Returns what applies to the istioctl that wrote these labels; without a version that can be parsed, to the newest. */
function factOf<T>(facts: readonly [Since<T>, ...Since<T>[]], labels: Readonly<Record<string, string>>): T {
  return factFor(facts, parseVersion(labels[installerLabels.version] ?? '') ?? newestKnown).value;
}

/** Returns the text after a prefix and `-`; empty if there is only the prefix, undefined if it does not start with it. */
function withoutPrefix(text: string, prefix: string): string | undefined {
  if (text === prefix) return '';
  return text.startsWith(`${prefix}-`) ? text.slice(prefix.length + 1) : undefined;
}

/** Removes the revision that follows the document's name. The default revision has no suffix. */
function withoutSuffix(state: string, revision: string): string {
  if (revision === defaultRevision) return state;
  if (state === revision) return '';
  return state.endsWith(`-${revision}`) ? state.slice(0, -revision.length - 1) : state;
}

/**
 * Reports whether our document installed an object, for any revision. Documents of 1.6 and 1.7 cannot be distinguished by
 * their objects, even if they have names: there, a record of `install apply` for the object's revision is the evidence.
 */
export function isOurs(object: KubeObject, {recorded}: Pick<Installation, 'recorded'>): boolean {
  const owner = ownerDocument(object);
  if (!owner) return false;
  const {document, revision} = owner;
  if (document === 'unrecorded') return recorded.includes(revision);
  return document !== 'unnamed' && document.name === documentName;
}

/** Reports whether our document installed an object, for this revision of the control plane in this namespace. */
export function isOfInstallation(object: KubeObject, installation: Installation): boolean {
  const owner = ownerDocument(object);
  const {namespace, revision} = installation;
  return (
    owner !== undefined &&
    isOurs(object, installation) &&
    owner.revision === revision &&
    (owner.namespace ?? namespace) === namespace
  );
}

/**
 * The field manager of istioctl's `tag` commands up to 1.18, which its installer also uses (1.13.9, 1.18.7:pkg/kube/client.go).
 * Newer ones remove the installer's labels from tags that users create (istio/istio#47538).
 */
const tagManager = 'istio-kube-client';

/**
 * Whether an object belongs to revision tag `default`. istioctl installs it, in 1.13 to 1.18 without an owner, and users point it
 * to another revision (`istioctl tag set`).
 */
export function isDefaultTag({metadata: {labels = {}}}: KubeObject): boolean {
  return labels[installerLabels.tag] === defaultRevision;
}

/**
 * Reports whether no document owns an object of a revision tag.
 *
 * Tag `default` follows from the control planes in the cluster: if istioctl writes it after every document, its owner label only
 * names the document that was applied last.
 *
 * `istioctl tag` creates webhooks without an owner, and in 1.13 to 1.18 also `istioctl install`, with the owner `unknown` and the
 * field manager of `tag` (1.16.7:istioctl/pkg/tag/generate.go). On an API server that records no field managers, the tag alone
 * identifies them.
 */
export function isUnownedTag(object: KubeObject): boolean {
  const {
    kind,
    metadata: {labels = {}, managedFields = []},
  } = object;
  if (ownerDocument(object)) return isDefaultTag(object) && factOf(defaultTagDocuments, labels) === 'all';
  return (
    kind === 'MutatingWebhookConfiguration' &&
    labels[installerLabels.tag] !== undefined &&
    (managedFields.length === 0 || managedFields.some(({manager}) => manager === tagManager))
  );
}
