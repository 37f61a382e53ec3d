/** How istiod's Deployment mounts its CA (istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml). */
import type {CaSource} from '../../src/domain/istio/ca-source.js';

/** The directory at which the chart mounts Secret cacerts. */
export const caDirectory = '/etc/cacerts';

/** The fields of istiod's container. */
export const caMounts = {volumeMounts: [{name: 'cacerts', mountPath: caDirectory, readOnly: true}]};

/** The fields of a pod with a Secret as volume cacerts, or with another volume source. */
export function caVolumes(source: object = {secret: {secretName: 'cacerts', optional: true}}) {
  return {volumes: [{name: 'cacerts', ...source}]};
}

/** What this program reads from both. */
export const usualSource = {from: 'secret', name: 'cacerts'} as const satisfies CaSource;
