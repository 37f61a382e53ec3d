/** The components that istioctl's installation profiles enable besides istiod. */

/** A component, by the value of its component label. */
export type ProfileComponent = 'Base' | 'Cni' | 'Ztunnel' | 'IngressGateways' | 'EgressGateways';

const ofDefault: readonly ProfileComponent[] = ['Base', 'IngressGateways'];
const ofAmbient: readonly ProfileComponent[] = ['Base', 'Cni', 'Ztunnel'];

/**
 * The components of the profiles that differ from profile `default` (1.31.0:manifests/profiles; `minimal` and `empty` have
 * no gateway in any version). A profile that is not in this table counts as `default`.
 */
const otherProfiles: ReadonlyMap<string, readonly ProfileComponent[]> = new Map([
  ['minimal', ['Base']],
  ['empty', []],
  ['ambient', ofAmbient],
  ['openshift-ambient', ofAmbient],
  ['openshift', ['Base', 'Cni', 'IngressGateways']],
  ['demo', ['Base', 'IngressGateways', 'EgressGateways']],
]);

/** Returns the components of a profile. */
export function componentsOfProfile(profile: string): readonly ProfileComponent[] {
  return otherProfiles.get(profile) ?? ofDefault;
}
