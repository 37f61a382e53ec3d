import {gatewayAddresses} from '../../domain/install/east-west/decide.js';
import {eastWestName} from '../../domain/install/east-west/kind.js';
import type {ServiceObject} from '../../domain/kube/objects.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {Effect} from '../effect.js';
import {awaitReady} from './await.js';

/** Waits until a Service of the gateway has an address that istiod uses. */
export const effect: Effect<'await-address'> = async (action, context) => {
  const {cluster, namespace, selector, serviceNames, withoutBalancer, timeoutMs} = action;
  const api = await context.deps.clusters.open(action.context);
  const kind = {apiVersion: 'v1', kind: 'Service'};
  let addresses: readonly string[] = [];
  await awaitReady(
    context,
    {
      what: `the east-west gateway of ${cluster} got no address`,
      timeoutMs,
      hints: [
        advice`the events show why: ${inspectWith.kubectl(action, words`-n ${namespace} describe service -l ${selector}`)}`,
        advice`without a Service, the status of its Gateway: ${inspectWith.kubectl(action, words`-n ${namespace} describe gateways.gateway.networking.k8s.io ${eastWestName}`)}`,
        withoutBalancer,
      ],
    },
    async () => {
      const {items} = await api.list<ServiceObject>(kind, {namespace, labelSelector: selector});
      addresses = gatewayAddresses({serviceNames}, items);
      if (addresses.length > 0) return undefined;
      const service = items.find(({metadata: {name}}) => serviceNames.includes(name));
      return service === undefined ? 'it has no Service yet' : `Service ${service.metadata.name} has no address`;
    },
  );
  return {addresses};
};
