/** What an installation declares outside the fields of mesh.yaml: in its profile and its overlays. */
import {isTree, valueAt} from '../tree.js';
import type {Overlay} from './overlays.js';

/** The profiles that install ztunnel (istio/istio manifests/profiles). */
export const ambientProfiles: readonly string[] = ['ambient', 'openshift-ambient'];

/** Whether an installation has a ztunnel: by its profile, or as a component that an overlay enables. */
export function installsZtunnel(profile: string, overlays: readonly Overlay[]): boolean {
  return enabledInOverlays(overlays, 'ztunnel') ?? ambientProfiles.includes(profile);
}

/**
 * Returns whether overlays enable or disable a component: a field below `spec.components`, or an entry of its list with this
 * name (gateways). Undefined if they do neither.
 */
export function enabledInOverlays(overlays: readonly Overlay[], field: string, name?: string): boolean | undefined {
  const path = ['spec', 'components', field];
  const enabled = overlays.flatMap(({tree}): readonly unknown[] => {
    const declared = valueAt(tree, path);
    const entries: readonly unknown[] = Array.isArray(declared) ? declared : [];
    const entry = entries.filter(isTree).find((one) => one.name === name);
    return [entry ? entry.enabled : valueAt(declared, ['enabled'])];
  });
  return enabled.findLast((value) => typeof value === 'boolean');
}

/** Whether an overlay has a list of ingress gateways, which then replaces that of the profile. */
export function declaresGateways(overlays: readonly Overlay[]): boolean {
  return lastValue(overlays, ['spec', 'components', 'ingressGateways']) !== undefined;
}

/** The paths from which istioctl reads the hub (istio/istio operator/pkg/render/manifest.go). */
const hubPaths = [
  ['spec', 'hub'],
  ['spec', 'values', 'global', 'hub'],
  ['spec', 'unvalidatedValues', 'global', 'hub'],
] as const;

/** Returns the hub that overlays set for all components; undefined if none does. */
export function hubInOverlays(overlays: readonly Overlay[]): string | undefined {
  const hub = hubPaths.map((path) => lastValue(overlays, path)).findLast((value) => value !== undefined);
  return hub === undefined || typeof hub === 'string' ? hub : JSON.stringify(hub);
}

/** Returns the value that the last overlay with this path sets. */
function lastValue(overlays: readonly Overlay[], path: readonly string[]): unknown {
  return overlays.map(({tree}) => valueAt(tree, path)).findLast((value) => value !== undefined);
}
