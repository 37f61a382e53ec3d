/** Detects which tool installed an Istio object. istioctl forces its changes, so foreign objects are detected before it runs. */
import {managerOf} from '../kube/manager.js';
import type {KubeObject} from '../kube/object.js';
import {installerLabels, isOurs, isUnownedTag, ownerDocument, type Installation} from './ownership.js';
import {isWritten, type WrittenObjects} from './shared-objects.js';

/** An installer other than our document, and an object that it owns. */
export interface ForeignOwner {
  /** For messages: `Helm release istiod`. */
  readonly owner: string;
  /** `Deployment istiod`. */
  readonly object: string;
}

/** Returns the first object of each foreign installer, among the objects that our document also writes. */
export function foreignOwners(objects: readonly KubeObject[], written: WrittenObjects): readonly ForeignOwner[] {
  const found = new Map<string, ForeignOwner>();
  for (const object of objects.filter((one) => isWritten(one, written))) {
    const owner = foreignOwner(object, written);
    if (owner !== undefined && !found.has(owner)) {
      found.set(owner, {owner, object: `${object.kind} ${object.metadata.name}`});
    }
  }
  return [...found.values()];
}

/**
 * Returns the installer of an object, or undefined if our document or none manages it. istioctl's own objects have the label
 * `managed-by: Helm` too, because it renders Istio's charts: only Helm's annotations identify Helm. Since these remain when
 * istioctl takes an object over, our document's name in the owner label takes precedence.
 */
export function foreignOwner(object: KubeObject, installation: Pick<Installation, 'recorded'>): string | undefined {
  if (isOurs(object, installation)) return undefined;
  const manager = managerOf(object);
  if (manager !== undefined) return manager;
  if (isUnownedTag(object)) return undefined;
  const owner = ownerDocument(object);
  if (owner) {
    if (owner.document === 'unnamed') return 'an unnamed IstioOperator document';
    return owner.document === 'unrecorded'
      ? `an IstioOperator document of unknown name (Istio ${versionOf(object)} does not record it)`
      : `IstioOperator document ${owner.document.name}`;
  }
  const {managedFields = []} = object.metadata;
  const field = managedFields.find(({manager = ''}) => manager !== '' && manager !== 'pilot-discovery')?.manager;
  return field === undefined ? 'an unknown installer' : `field manager ${field}`;
}

function versionOf({metadata: {labels = {}}}: KubeObject): string {
  return labels[installerLabels.version] ?? '1.7';
}
