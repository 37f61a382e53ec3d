import {addressesOf} from '../../domain/istio/gateway-address.js';
import type {ServiceObject} from '../../domain/kube/objects.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {Effect} from '../effect.js';
import {awaitReady} from './await.js';

/** Waits until a Service of the gateway has an address that istiod uses. */
export const effect: Effect<'await-address'> = async (action, context) => {
  const {cluster, namespace, selector, timeoutMs} = action;
  const api = await context.deps.clusters.open(action.context);
  let addresses: readonly string[] = [];
  await awaitReady(
    context,
    {
      what: `the east-west gateway of ${cluster} got no address`,
      timeoutMs,
      hints: [
        advice`the events show why: ${inspectWith.kubectl(action, words`-n ${namespace} describe service -l ${selector}`)}`,
        'without load balancers, set values.gateways.istio-ingressgateway.type to NodePort, or add externalIPs to the Service',
      ],
    },
    async () => {
      const {items} = await api.list<ServiceObject>(
        {apiVersion: 'v1', kind: 'Service'},
        {namespace, labelSelector: selector},
      );
      addresses = items.flatMap(addressesOf);
      if (addresses.length > 0) return undefined;
      const [service] = items;
      return service === undefined ? 'it has no Service yet' : `Service ${service.metadata.name} has no address`;
    },
  );
  return {addresses};
};
