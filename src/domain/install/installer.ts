/** Who installed an object of Istio. istioctl overwrites by force, so objects of others are found before it runs. */
import type {KubeObject} from '../kube/object.js';
import {documentName} from './formats/istio-operator.js';

/** Labels of istioctl's installer (istio/istio operator/pkg/manifest/name.go); its charts carry the first one too. */
export const ownerLabel = 'install.operator.istio.io/owning-resource';
const componentLabel = 'operator.istio.io/component';
const managedLabel = 'operator.istio.io/managed';
const revisionLabel = 'istio.io/rev';

/** What charts write for `owning-resource` when no document names them. */
const unnamed = 'unknown';

/** An installer other than our own document, and the object that shows it. */
export interface ForeignOwner {
  /** For people: `Helm release istiod`. */
  readonly owner: string;
  /** `Deployment istiod`. */
  readonly object: string;
}

/**
 * The first object of each foreign installer among those that our document writes as well: base, istiod of our
 * revision, the ingress gateway.
 */
export function foreignOwners(objects: readonly KubeObject[], revision: string | undefined): readonly ForeignOwner[] {
  const found = new Map<string, ForeignOwner>();
  for (const object of objects.filter((one) => isOurSubject(one, revision ?? 'default'))) {
    const owner = foreignOwner(object);
    if (owner !== undefined && !found.has(owner)) {
      found.set(owner, {owner, object: `${object.kind} ${object.metadata.name}`});
    }
  }
  return [...found.values()];
}

/** Whether our document writes this object: gateways of other names and other revisions are somebody's own business. */
function isOurSubject({metadata}: KubeObject, revision: string): boolean {
  const labels = metadata.labels ?? {};
  if ((labels[revisionLabel] ?? revision) !== revision) return false;
  const component = labels[componentLabel];
  return component === 'Pilot' || component === 'Base' || metadata.name === 'istio-ingressgateway';
}

/**
 * Who manages an object, unless our document does. istioctl's own objects are labelled `managed-by: Helm` too, since it
 * renders Istio's charts: only Helm's annotations say Helm. Those stay when istioctl takes an object over, so our name in
 * the owner label goes first.
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
      ? 'an istioctl document without a name'
      : `the istioctl document ${owning}`;
  }
  const manager = managers.find((name) => name !== '' && name !== 'pilot-discovery');
  return manager === undefined ? 'an unknown installer' : `${manager} (its field manager)`;
}
