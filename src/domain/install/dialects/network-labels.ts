import type {Dialect} from './dialect.js';
import {operatorDocument} from './shared.js';

/**
 * Networks come from the label topology.istio.io/network (istio/istio 1.8.6
 * pilot/pkg/serviceregistry/kube/controller/network.go), so a cluster that joins changes no other cluster's document.
 * meshExpansion is deprecated in 1.8 and an error from 1.9 on. The trust domain moved to meshConfig with 1.10.
 */
export const networkLabels: Dialect = {
  id: '1.8 to 1.23',
  from: '1.8',
  why: 'networks come from labels; meshExpansion is gone, and meshNetworks is not needed',
  document: (input) => operatorDocument(input, {}),
};
