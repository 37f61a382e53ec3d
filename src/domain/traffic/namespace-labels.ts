/** The labels with which a namespace belongs to a mesh. */
import type {ControlPlaneFacts} from '../facts/facts.js';
import {ambientProfiles} from '../install/declared-settings.js';
import {defaultRevision} from '../istio/names.js';
import {selects} from '../kube/objects.js';
import type {Mesh} from '../mesh/mesh.js';

/** Whether the mesh's workloads use ztunnel, by its profile. */
export function usesZtunnel({istio}: Pick<Mesh, 'istio'>): boolean {
  return ambientProfiles.includes(istio.profile);
}

/** A control plane, as far as it determines which namespaces it serves. */
export type ServingPlane = Pick<ControlPlaneFacts, 'revision' | 'discoverySelectors'>;

/**
 * Returns the labels with which pods get a proxy, or ztunnel, and with which the istiods of the mesh read the namespace. `own`: the
 * control planes of the cluster, empty for a remote or if they are unknown; `all`: those of every cluster, because each reads the
 * namespaces of its peers by its own selectors (istio/istio pkg/kube/multicluster/cluster.go). Selectors with expressions are not
 * fulfilled: {@link unreadBy} finds them.
 */
export function namespaceLabels(
  mesh: Pick<Mesh, 'istio'>,
  own: readonly ServingPlane[],
  all: readonly ServingPlane[] = own,
): Readonly<Record<string, string>> {
  const running = own.map(({revision}) => revision);
  const {revisions: declared = [defaultRevision]} = mesh.istio;
  const revision = declared.find((one) => running.includes(one)) ?? running[0] ?? declared[0] ?? defaultRevision;
  const injected: Readonly<Record<string, string>> = usesZtunnel(mesh)
    ? {'istio.io/dataplane-mode': 'ambient'}
    : revision === defaultRevision
      ? {'istio-injection': 'enabled'}
      : {'istio.io/rev': revision};
  return all.reduce((labels, {discoverySelectors}) => {
    if (isRead(labels, discoverySelectors)) return labels;
    const [simple] = discoverySelectors.filter(({matchExpressions = []}) => matchExpressions.length === 0);
    return {...simple?.matchLabels, ...labels};
  }, injected);
}

/** Returns a control plane that would not read a namespace with these labels; undefined if all would. */
export function unreadBy<Plane extends ServingPlane>(
  labels: Readonly<Record<string, string>>,
  planes: readonly Plane[],
): Plane | undefined {
  return planes.find(({discoverySelectors}) => !isRead(labels, discoverySelectors));
}

/** Without selectors, every namespace is read (istio.io: meshConfig.discoverySelectors). */
function isRead(labels: Readonly<Record<string, string>>, selectors: ServingPlane['discoverySelectors']): boolean {
  return selectors.length === 0 || selectors.some((one) => selects(one, labels));
}
