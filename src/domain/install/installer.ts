/** Detects which tool installed an Istio object. istioctl forces its changes, so foreign objects are detected before it runs. */
import {managerOf} from '../kube/manager.js';
import type {KubeObject} from '../kube/object.js';
import {documentName} from './formats/istio-operator.js';

/** Labels that istioctl's installer sets (istio/istio operator/pkg/manifest/name.go); its charts set the first one too. */
export const ownerLabel = 'install.operator.istio.io/owning-resource';
const componentLabel = 'operator.istio.io/component';
const managedLabel = 'operator.istio.io/managed';
const revisionLabel = 'istio.io/rev';

/** The value of `owning-resource` that charts write when the document has no name. */
const unnamed = 'unknown';

/** An installer other than our document, and an object that it owns. */
export interface ForeignOwner {
  /** For messages: `Helm release istiod`. */
  readonly owner: string;
  /** `Deployment istiod`. */
  readonly object: string;
}

/**
 * Returns the first object of each foreign installer, among the objects that our document also writes: base, istiod of
 * our revision, the ingress gateway.
 */
export function foreignOwners(objects: readonly KubeObject[], revision: string | undefined): readonly ForeignOwner[] {
  const found = new Map<string, ForeignOwner>();
  for (const object of objects.filter((one) => isInOurDocument(one, revision ?? 'default'))) {
    const owner = foreignOwner(object);
    if (owner !== undefined && !found.has(owner)) {
      found.set(owner, {owner, object: `${object.kind} ${object.metadata.name}`});
    }
  }
  return [...found.values()];
}

/** Reports whether our document writes this object. It writes no gateways with other names and no other revisions. */
function isInOurDocument({metadata}: KubeObject, revision: string): boolean {
  const labels = metadata.labels ?? {};
  if ((labels[revisionLabel] ?? revision) !== revision) return false;
  const component = labels[componentLabel];
  return component === 'Pilot' || component === 'Base' || metadata.name === 'istio-ingressgateway';
}

/**
 * Returns the installer of an object, or undefined if our document manages it. istioctl's own objects have the label
 * `managed-by: Helm` too, because it renders Istio's charts: only Helm's annotations identify Helm. Since these remain when
 * istioctl takes an object over, our document's name in the owner label takes precedence.
 */
export function foreignOwner(object: KubeObject): string | undefined {
  const {labels = {}, managedFields = []} = object.metadata;
  const owning = labels[ownerLabel];
  if (owning === documentName && labels[managedLabel] !== undefined) return undefined;

  const manager = managerOf(object);
  if (manager !== undefined) return manager;
  if (labels[managedLabel] !== undefined) {
    return owning === undefined || owning === unnamed
      ? 'an unnamed IstioOperator document'
      : `IstioOperator document ${owning}`;
  }
  const field = managedFields.find(({manager = ''}) => manager !== '' && manager !== 'pilot-discovery')?.manager;
  return field === undefined ? 'an unknown installer' : `field manager ${field}`;
}
