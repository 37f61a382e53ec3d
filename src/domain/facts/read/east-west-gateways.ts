/** Reads the Services through which other networks reach a cluster, with the proxies that they select. */
import {defined} from '../../defined.js';
import {installerLabels} from '../../install/ownership.js';
import {addressesOf} from '../../istio/gateway-address.js';
import {gatewayNameOf, networkLabel, networkViewVariable, proxyNetworkVariable} from '../../istio/names.js';
import {type PodObject, selects, type ServiceObject} from '../../kube/objects.js';
import type {EastWestGatewayFacts, GatewayPod} from '../facts.js';
import {labeledPort} from './network-gateways.js';
import {isGone} from './pods.js';

/**
 * A Service that istiod uses as gateway for `network`; undefined if it has no address. `port`: the one in
 * meshNetworks; absent: that of a labeled Service.
 */
export function eastWestGateway(
  service: ServiceObject,
  network: string,
  pods: readonly PodObject[],
  port?: number,
): EastWestGatewayFacts | undefined {
  const {metadata, spec = {}} = service;
  const {name, namespace = '', labels = {}} = metadata;
  const addresses = addressesOf(service);
  if (metadata.deletionTimestamp !== undefined || addresses.length === 0) return undefined;
  const number = port ?? labeledPort(labels);
  const found = spec.ports?.find((one) => one.port === number);
  const selector = spec.selector ?? {};
  const isSelected = ({metadata: own, status = {}}: PodObject): boolean =>
    !isGone({metadata: own, status}) && selects({matchLabels: selector}, own.labels ?? {});
  return defined<EastWestGatewayFacts>({
    namespace,
    name,
    network,
    port: found && {number, target: found.targetPort ?? number},
    addresses,
    selector,
    pods: Object.keys(selector).length === 0 ? [] : pods.filter(isSelected).map(gatewayPod),
    isInstalled: labels[installerLabels.owner] !== undefined || gatewayNameOf(labels) !== undefined,
  });
}

function gatewayPod({metadata: {name, labels = {}}, spec}: PodObject): GatewayPod {
  const variables = (spec?.containers ?? []).flatMap(({env = []}) => env);
  const valueOf = (variable: string): string | undefined => {
    const value = variables.findLast((one) => one.name === variable)?.value;
    return value === '' ? undefined : value;
  };
  return defined<GatewayPod>({
    name,
    labels,
    network: valueOf(proxyNetworkVariable) ?? labels[networkLabel],
    view: valueOf(networkViewVariable)?.split(','),
  });
}
