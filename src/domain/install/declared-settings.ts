/** What an installation declares outside the fields of mesh.yaml: in its profile and its overlays. */
import {isTree, type Tree, valueAt} from '../tree.js';
import {gatewayListPath, isEastWest} from './gateway-list.js';
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
  const declared = lastValue(overlays, path);
  const list: readonly unknown[] = Array.isArray(declared) ? declared : [];
  const entry = list.filter(isTree).find((one) => one.name === name);
  const enabled = entry ? entry.enabled : lastValue(overlays, [...path, 'enabled']);
  return typeof enabled === 'boolean' ? enabled : undefined;
}

/** Returns the entries that overlays have for the east-west gateway, in merge order. */
export function eastWestEntries(overlays: readonly Overlay[]): readonly Tree[] {
  return overlays.flatMap(({tree}) => {
    const list = valueAt(tree, gatewayListPath);
    return Array.isArray(list) ? (list as readonly unknown[]).filter(isEastWest) : [];
  });
}

/** Whether overlays disable the east-west gateway. */
export function disablesEastWest(overlays: readonly Overlay[]): boolean {
  const settings = eastWestEntries(overlays).map(({enabled}) => enabled);
  return settings.findLast((enabled) => typeof enabled === 'boolean') === false;
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

/** Returns the values that overlays have at a path. */
export function valuesAt(overlays: readonly Overlay[], path: readonly string[]): readonly unknown[] {
  return overlays.map(({tree}) => valueAt(tree, path)).filter((value) => value !== undefined);
}

/** Returns the value that the last overlay with this path sets. */
function lastValue(overlays: readonly Overlay[], path: readonly string[]): unknown {
  return valuesAt(overlays, path).at(-1);
}
