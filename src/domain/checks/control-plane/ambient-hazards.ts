/** Known issues of meshes with ambient workloads and sidecars on several networks: Istio supports no traffic between them. */
import {some} from '../../format.js';
import {parseBool} from '../../istio/environment.js';
import {ambientNetworksVariable, ambientVariable} from '../../istio/features.js';
import type {Hazard, HazardFacts} from './hazard.js';

/** The variable with which ingress gateways reach ambient workloads on other networks (default: false). */
const ingressVariable = 'AMBIENT_ENABLE_MULTI_NETWORK_INGRESS';

/** The condition that they have in common: sidecars beside ambient mode on several networks. */
function sidecarsBeside({env, hasZtunnel, spansNetworks, sidecarNamespaces}: HazardFacts): string | undefined {
  // istiod ignores the second variable without the first one (registerAmbient).
  const isEnabled = parseBool(env[ambientVariable], false) && parseBool(env[ambientNetworksVariable], false);
  if (!hasZtunnel || !spansNetworks || !isEnabled || sidecarNamespaces.length === 0) return undefined;
  return `${ambientNetworksVariable} is true, and sidecars are injected into ${some(sidecarNamespaces)}`;
}

/** The hazards, for the table in known-hazards.ts. */
export const ambientHazards: readonly Hazard[] = [
  {
    id: 'ambient-gateway-of-sidecars',
    title: 'sidecars use ambient east-west gateways, with which they cannot communicate',
    severity: 'warning',
    from: '1.27',
    fixedIn: '1.29',
    applies: sidecarsBeside,
    consequence: 'some of the requests from sidecars to other networks fail with status 503',
    expected: 'Istio 1.29 or later',
    fix: {by: 'upgrade'},
    source:
      'istio/istio#57878 (releasenotes/notes/57878.yaml; istio.io: news/releases/1.29.x/announcing-1.29/change-notes)',
  },
  {
    id: 'ambient-scope-of-sidecars',
    title: `with ${ambientNetworksVariable}, sidecars reach only global Services in other clusters`,
    severity: 'warning',
    from: '1.29',
    applies: (facts) => (facts.allServicesGlobal ? undefined : sidecarsBeside(facts)),
    consequence: 'sidecars lose the endpoints in other clusters of every Service that is not global',
    expected: 'every Service in scope GLOBAL (meshConfig.serviceScopeConfigs), or no sidecars',
    fix: {
      by: 'declare',
      note: 'to keep sidecar traffic between clusters, declare in mesh.yaml, under values: meshConfig: {serviceScopeConfigs: [{scope: GLOBAL}]}',
    },
    source: 'istio/istio#61713, istio/istio#61746; 1.31.0:pilot/pkg/xds/endpoints/endpoint_builder.go',
  },
  {
    id: 'ambient-ingress-to-sidecars',
    title: `with ${ingressVariable}, ingress gateways cannot reach sidecars on other networks`,
    severity: 'warning',
    from: '1.29',
    // The fix, istio/istio#61548, was merged after 1.31.0; whether later patch releases of 1.31 have it is not known.
    fixedIn: '1.32',
    applies: (facts) => {
      const condition = parseBool(facts.env[ingressVariable], false) ? sidecarsBeside(facts) : undefined;
      return condition === undefined ? undefined : `${ingressVariable} is true, ${condition}`;
    },
    consequence: 'requests from ingress gateways to sidecars on other networks fail',
    expected: `${ingressVariable} at its default, false`,
    fix: {by: 'environment', name: ingressVariable},
    source: 'istio/istio#60609, istio/istio#61548',
  },
];
