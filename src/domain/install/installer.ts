/** Detects which tool installed an Istio object. istioctl forces its changes, so foreign objects are detected before it runs. */
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
export function foreignOwner({metadata}: KubeObject): string | undefined {
  const labels = metadata.labels ?? {};
  const annotations = metadata.annotations ?? {};
  const managers = (metadata.managedFields ?? []).map(({manager}) => manager ?? '');
  const owning = labels[ownerLabel];
  if (owning === documentName && labels[managedLabel] !== undefined) return undefined;

  const argo = annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance'];
  if (argo !== undefined) return `Argo CD application ${argo}`;
  if (managers.some((manager) => manager.startsWith('argocd'))) return 'Argo CD';
  const flux = labels['helm.toolkit.fluxcd.io/name'] ?? labels['kustomize.toolkit.fluxcd.io/name'];
  if (flux !== undefined) return `Flux ${flux}`;
  const sail = metadata.ownerReferences?.find(({kind}) => kind.startsWith('Istio'));
  if (sail) return `${sail.kind} ${sail.name} of the Sail operator`;
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) return `Helm release ${release}`;
  if (labels[managedLabel] !== undefined) {
    return owning === undefined || owning === unnamed
      ? 'an unnamed IstioOperator document'
      : `IstioOperator document ${owning}`;
  }
  const manager = managers.find((name) => name !== '' && name !== 'pilot-discovery');
  return manager === undefined ? 'an unknown installer' : `field manager ${manager}`;
}
