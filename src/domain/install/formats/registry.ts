import {factFor} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';
import type {Format} from './format.js';
import {guide2020} from './guide-2020.js';
import {istioOperator} from './istio-operator.js';

/** Every format, oldest first: a new one is a line here, and a file where it has code of its own. */
export const formats: readonly [Format, ...Format[]] = [
  guide2020,
  // Networks come from the label topology.istio.io/network (istio/istio 1.8.6
  // pilot/pkg/serviceregistry/kube/controller/network.go), so a cluster that joins changes no other cluster's document.
  // meshExpansion is deprecated in 1.8 and an error from 1.9 on.
  istioOperator({
    id: '1.8 to 1.23',
    from: '1.8',
    why: 'networks come from labels; meshExpansion is gone, and meshNetworks is not needed',
  }),
  // Only what the schema knows may be written (istio/istio operator/pkg/apis/validation/validation.go).
  istioOperator({
    id: '1.24 and later',
    from: '1.24',
    why: 'istioctl checks every field under spec.values and refuses those it does not know',
  }),
];

/** The format of a version: the last one that starts at or before it. */
export function formatFor(version: IstioVersion): Format {
  return factFor(formats, version);
}
