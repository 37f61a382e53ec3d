import {isTree, type Tree} from '../../tree.js';
import type {InstallModel} from '../model.js';
import {spec, type Field} from './field.js';

/** The list of gateways that istioctl deploys with the chart for ingress gateways. */
const gateways = spec('components', 'ingressGateways');

/**
 * Returns the fields of the east-west gateway, if istioctl deploys it. Its list replaces that of the profile in istioctl 1.24 and
 * later, so that it has to repeat the profile's own gateway.
 */
export function eastWestFields({eastWest, profileGateways, cluster}: InstallModel): readonly Field[] {
  const component = eastWest?.kind.component?.(eastWest.place);
  if (component === undefined) return [];
  const setBy = `mesh.yaml clusters: ${cluster}, network`;
  const entries = [...profileGateways.map((name): Tree => ({name, enabled: true})), component];
  return [{value: entries, written: [gateways]}, ...ownFields(component, setBy)];
}

/** The labels and variables by which istiod and the other networks identify the gateway: overlays must not change them. */
function ownFields({name, label, k8s}: Tree, setBy: string): readonly Field[] {
  const own = [...gateways, String(name)];
  const labels = isTree(label) ? Object.entries(label) : [];
  const variables = isTree(k8s) && Array.isArray(k8s.env) ? (k8s.env as readonly {name: string; value: string}[]) : [];
  return [
    ...labels.map(([key, value]): Field => ({value, written: [], alsoRead: [[...own, 'label', key]], setBy})),
    ...variables.map((one): Field => {
      return {value: one.value, written: [], alsoRead: [[...own, 'k8s', 'env', one.name]], setBy};
    }),
  ];
}
