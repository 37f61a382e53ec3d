/**
 * Detects the tool that manages an object: one that holds its content elsewhere and writes it again. Labels and annotations of
 * an object can be copies (External Secrets copies those of an ExternalSecret to its Secret), so the most direct evidence
 * comes first.
 *
 * Argo CD with `application.resourceTrackingMethod: label` leaves only the label app.kubernetes.io/instance, which most charts
 * set as well (argo-cd.readthedocs.io: user-guide/resource_tracking): it identifies no tool. Such an Argo CD is recognized by
 * its field manager, or by the label argocd.argoproj.io/instance, if it is configured to use that.
 */
import type {KubeObject} from './object.js';

/** The label in which a tool names itself (kubernetes.io: common-labels). */
export const managedByLabel = 'app.kubernetes.io/managed-by';

/**
 * Returns the tool that manages an object, for messages: `cert-manager Certificate istio-ca`, `Argo CD application mesh`.
 * Undefined if nothing identifies one. The label {@link managedByLabel} alone does not: charts write `Helm` into it, however
 * they are rendered.
 */
export function managerOf(object: KubeObject): string | undefined {
  for (const manager of [certManager, owner, externalSecrets, argoCd, flux, kapp, helm]) {
    const found = manager(object);
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}

/** cert-manager.io: docs/reference/annotations. */
function certManager({metadata}: KubeObject): string | undefined {
  const certificate = metadata.annotations?.['cert-manager.io/certificate-name'];
  return certificate && `cert-manager Certificate ${certificate}`;
}

/** A controller that owns its objects: External Secrets, Sealed Secrets, the Sail operator (sail-operator api/v1). */
function owner({metadata}: KubeObject): string | undefined {
  const [first] = metadata.ownerReferences ?? [];
  if (!first) return undefined;
  return `${first.kind} ${first.name}${first.kind.startsWith('Istio') ? ' of the Sail operator' : ''}`;
}

/**
 * Without an owner reference: creationPolicy Orphan or Merge (external-secrets.io: guides/ownership-deletion-policy). Versions
 * before the label leave only the annotation with the hash of the data.
 */
function externalSecrets({metadata: {labels = {}, annotations = {}}}: KubeObject): string | undefined {
  const isManaged =
    labels['reconcile.external-secrets.io/managed'] === 'true' ||
    annotations['reconcile.external-secrets.io/data-hash'] !== undefined;
  return isManaged ? 'External Secrets' : undefined;
}

/** The ID is `APPLICATION:GROUP/KIND:NAMESPACE/NAME`: with another kind, it was copied from the object that it names. */
function argoCd({kind, metadata}: KubeObject): string | undefined {
  const [application = '', resource] = metadata.annotations?.['argocd.argoproj.io/tracking-id']?.split(':') ?? [];
  const isOwn = resource === undefined || resource.split('/').at(-1) === kind;
  const named = application !== '' && isOwn ? application : metadata.labels?.['argocd.argoproj.io/instance'];
  if (named !== undefined) return `Argo CD application ${named}`;
  return metadata.managedFields?.some(({manager}) => manager?.startsWith('argocd')) === true ? 'Argo CD' : undefined;
}

/** fluxcd.io: flux/components/helm, flux/components/kustomize (labels of applied objects). */
function flux({metadata: {labels = {}}}: KubeObject): string | undefined {
  const name = labels['helm.toolkit.fluxcd.io/name'] ?? labels['kustomize.toolkit.fluxcd.io/name'];
  return name && `Flux ${name}`;
}

/** carvel.dev: kapp, apply (the label that kapp sets on all objects of an app). */
function kapp({metadata}: KubeObject): string | undefined {
  const app = metadata.labels?.['kapp.k14s.io/app'];
  return app && `kapp app ${app}`;
}

/** helm/helm pkg/action/validate.go: Helm identifies its objects by these annotations. */
function helm({metadata}: KubeObject): string | undefined {
  const release = metadata.annotations?.['meta.helm.sh/release-name'];
  return release && `Helm release ${release}`;
}
