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

/**
 * Returns the labels with which pods get a proxy, or ztunnel, and, where the istiods of a cluster read only some namespaces, those with
 * which they read it. `controlPlanes` are the cluster's own: empty for a remote or if they are unknown.
 */
export function namespaceLabels(
  mesh: Pick<Mesh, 'istio'>,
  controlPlanes: readonly Pick<ControlPlaneFacts, 'revision' | 'discoverySelectors'>[],
): Readonly<Record<string, string>> {
  const running = controlPlanes.map(({revision}) => revision);
  const {revisions: declared = [defaultRevision]} = mesh.istio;
  const revision = declared.find((one) => running.includes(one)) ?? running[0] ?? declared[0] ?? defaultRevision;
  const own: Readonly<Record<string, string>> = usesZtunnel(mesh)
    ? {'istio.io/dataplane-mode': 'ambient'}
    : revision === defaultRevision
      ? {'istio-injection': 'enabled'}
      : {'istio.io/rev': revision};
  const selectors = controlPlanes.find((one) => one.revision === revision)?.discoverySelectors ?? [];
  if (selectors.length === 0 || selectors.some((one) => selects(one, own))) return own;
  const [simple] = selectors.filter(({matchExpressions = []}) => matchExpressions.length === 0);
  return {...simple?.matchLabels, ...own};
}
