import {isTree, type Tree} from '../../tree.js';
import type {GatewayPlace} from '../east-west/kind.js';
import {gatewayListPath} from '../gateway-list.js';
import type {InstallModel} from '../model.js';
import type {Field} from './field.js';

/**
 * Returns the fields of the east-west gateway, if istioctl deploys it. In istioctl 1.24 and later, its list replaces that of the
 * profile, so that it repeats the profile's own gateway (1.31.0:operator/pkg/values/map.go, MergeFrom).
 */
export function eastWestFields({eastWest, profileGateways, cluster}: InstallModel): readonly Field[] {
  const component = eastWest?.kind.component?.(eastWest.place);
  const entries = [...profileGateways.map((name): Tree => ({name, enabled: true})), ...(component ? [component] : [])];
  if (entries.length === 0) return [];
  const list: Field = {value: entries, written: [gatewayListPath]};
  return component && eastWest ? [list, ...ownFields(component, eastWest.place, cluster)] : [list];
}

/** The fields by which istiod and the other networks identify the gateway: overlays must not change them. */
function ownFields({name, label, k8s}: Tree, {namespace, network}: GatewayPlace, cluster: string): readonly Field[] {
  const own = [...gatewayListPath, String(name)];
  const labels = isTree(label) ? Object.entries(label) : [];
  const variables = isTree(k8s) && Array.isArray(k8s.env) ? (k8s.env as readonly {name: string; value: string}[]) : [];
  const field = (value: unknown, ...path: readonly string[]): Field => {
    const setBy = value === network ? `mesh.yaml clusters: ${cluster}, network` : 'kubectl mesh: fixed';
    return {value, written: [], alsoRead: [[...own, ...path]], setBy};
  };
  return [
    field(namespace, 'namespace'),
    ...labels.map(([key, value]) => field(value, 'label', key)),
    ...variables.map((one) => field(one.value, 'k8s', 'env', one.name)),
  ];
}
